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
