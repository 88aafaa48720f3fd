# Sourced by the suites in bash. Runs functions and prints one line for each; what a failed one
# said is shown below its line.

code=0

# check NAME FUNCTION [ARGUMENT…]
check() {
  local name=$1 said status
  shift
  # In a condition the function would go on after its first failure, so its status is read later.
  set +e
  said=$(
    set -eE
    trap 'echo "at line $LINENO: $BASH_COMMAND"' ERR
    "$@" 2>&1
  )
  status=$?
  set -e
  if [ "$status" -eq 0 ]; then
    echo "ok $name"
  else
    code=1
    echo "FAILED $name"
    printf '%s\n\n' "$said" | sed 's/^/    /'
  fi
}

# same SEEN EXPECTED
same() {
  [ "$1" = "$2" ] || {
    printf 'saw:\n%s\nexpected:\n%s\n' "$1" "$2"
    return 1
  }
}

# holds TEXT PART
holds() {
  case $1 in
    *"$2"*) ;;
    *)
      printf 'saw:\n%s\nexpected it to hold:\n%s\n' "$1" "$2"
      return 1
      ;;
  esac
}

# write_seen NAME VERSION LOG [CLIENT]: writes down what the turns of a run that went well were like, for the table
# in docs/clients.md; LOG is of a server that logs `codexway=debug`.
write_seen() {
  [ -n "${CODEXWAY_SEEN:-}" ] || return 0
  local turns
  turns=$(grep 'turn begins' "$3" | sed 's/\x1b\[[0-9;]*m//g')
  yes() { if grep -q "$1" <<<"$turns"; then echo true; else echo false; fi; }
  cat >"$CODEXWAY_SEEN/$1.toml" <<TOML
# Written by \`CODEXWAY_WRITE_DOCS=1 tests/clients/run\`.
client = "${4:-$1}"
version = "$2"
dialect = "$(sed -n 's/.*turn.dialect="\([a-z_]*\)".*/\1/p' <<<"$turns" | sort -u | paste -s -d ' ')"
streaming = $(yes 'stream=true')
tools = $(yes 'tools=[1-9]')
images = $(yes 'images=[1-9]')
reasoning = $(yes 'effort="')
passed = "$(date -u +%F)"
TOML
}
