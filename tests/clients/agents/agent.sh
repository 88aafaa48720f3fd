# Sourced by each agent's `main`: `agent NAME` sets the agent up as `codexway connect NAME` says,
# has it finish tasks that need its tools, and sets it back. It writes into $HOME.
#
# Two servers run: `theirs`, which stands for the provider that a user has already, is the one at
# $CODEXWAY_URL; `ours` is a codexway of its own, whose log says what the agent asked for.
#
# A main sets, before it calls `agent`:
#   version   of what is installed
#   before    the command that runs a task with the settings that the user has
# and may set
#   settings  the file of settings that the user has, below $HOME; empty where there is none
#   picture   the arguments that show the agent the picture in red.png
#   effort    the arguments that ask for more reasoning
#   dropped   the fields of its requests that have no effect, with commas
#   commands  `no` where the agent has no tool that runs a command
# and defines
#   connected COMMAND   says the same for `COMMAND`, which is what `connect` tells its user to type
#   user_settings       prints what is in that file; $theirs/v1 is the provider
# A task is the last argument of the commands.

. "$(dirname "${BASH_SOURCE[0]}")/../runner.sh"

SECONDS_PER_TASK=180
theirs=$CODEXWAY_URL
red=$HOME/red.png
settings='' picture='' effort='' dropped='' commands=yes

agent() {
  client=$1
  printf 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC' |
    base64 --decode >"$red"
  user_settings >"$HOME/settings"
  if [ -n "$settings" ]; then
    mkdir -p "$(dirname "$HOME/$settings")"
    cp "$HOME/settings" "$HOME/$settings"
  fi
  start_ours
  check "$client: is set up by \`codexway connect\`" is_connected
  check "$client: writes a file" writes_a_file
  if [ "$commands" = yes ]; then
    check "$client: runs a command, and reads what it printed" runs_a_command
  fi
  if [ -n "$picture" ]; then check "$client: shows a picture" shows_a_picture; fi
  if [ -n "$effort" ]; then check "$client: asks for more reasoning" asks_for_effort; fi
  check "$client: has no turn that fails, and only the fields dropped that are known" asks_soundly
  stop_ours
  check "$client: goes on with its user's provider while codexway is off" goes_to_theirs
  check "$client: is set back" is_set_back
  check "$client: works as before then" goes_to_theirs
  [ "$code" -ne 0 ] || write_seen "$client" "$version" "$HOME/ours.log"
}

# perform COMMAND TASK: in a new folder; what it says is in `said`, and in `made` where it was.
perform() {
  local status=0
  made=$(mktemp -d "$HOME/work.XXXXXX")
  cd "$made"
  # Some agents want to work in a repository only.
  git init --quiet . 2>/dev/null || true
  cp "$red" red.png
  said=$(timeout --kill-after 5 "$SECONDS_PER_TASK" \
    bash -c "$1 $(printf '%q' "$2")" </dev/null 2>&1) || status=$?
  [ "$status" -eq 0 ] || {
    printf '%s ended with status %s and said:\n%s\n' "$client" "$status" "$said"
    return 1
  }
}

# with_codexway [ARGUMENTS] TASK
with_codexway() {
  local task=${*: -1} arguments=
  [ $# -eq 1 ] || arguments=$1
  perform "$(connected "$(cat "$HOME/command")") $arguments" "$task"
}

is_connected() {
  # The settings in a shell's words are for the agents that keep them nowhere else.
  local told
  told=$("$CODEXWAY_BINARY" connect "$client" --json --url "$ours" --model gpt-5.5)
  value_of run <<<"$told" >"$HOME/command"
  value_of file <<<"$told" >"$HOME/file"
  [ -s "$HOME/command" ]
  if [ -s "$HOME/file" ]; then
    "$CODEXWAY_BINARY" connect "$client" --write --url "$ours" --model gpt-5.5
  else
    "$CODEXWAY_BINARY" connect "$client" --url "$ours" --model gpt-5.5 >"$HOME/by-hand"
    echo ". $HOME/by-hand; $(cat "$HOME/command")" >"$HOME/command"
  fi
}

# value_of NAME: of a member of the JSON on stdin, one to a line, whose value is a plain text.
value_of() { sed -n 's/^ *"'"$1"'": "\(.*\)",\{0,1\}$/\1/p' | sed 's/\\\(["\\]\)/\1/g'; }

writes_a_file() {
  with_codexway 'Create the file made.txt with the content "remember the milk"'
  same "$(cat made.txt)" "remember the milk"
}

runs_a_command() {
  with_codexway 'Run `echo $((6 * 7)) crabs | tee counted.txt` with the shell tool'
  same "$(cat counted.txt)" "42 crabs"
  holds "$said" "42 crabs"
}

shows_a_picture() {
  with_codexway "$picture" 'Good morning'
  holds "$said" "There was 1 image with it."
}

asks_for_effort() {
  with_codexway "$effort" 'Say exactly hello'
  holds "$said" hello
  grep -q 'turn begins.* effort="high"' "$HOME/ours.log"
}

asks_soundly() {
  local seen
  seen=$(sed -n 's/.* dropped="\([^"]*\)".*/\1/p' "$HOME/ours.log" | tr ',' '\n' | sort -u |
    paste -s -d ,)
  same "$seen" "$dropped"
  if grep -E 'turn failed| WARN | ERROR |panicked' "$HOME/ours.log"; then return 1; fi
}

goes_to_theirs() {
  local before_it
  before_it=$(turns_of_theirs)
  : >"$HOME/seen-before"
  [ ! -e "$HOME/ours.log" ] || wc -l <"$HOME/ours.log" >"$HOME/seen-before"
  perform "$before" 'Say exactly ahoy'
  holds "$said" ahoy
  [ "$(turns_of_theirs)" -gt "$before_it" ]
  # Nothing was asked of codexway.
  ! tail -n "+$(($(cat "$HOME/seen-before") + 1))" "$HOME/ours.log" | grep 'turn begins'
}

turns_of_theirs() {
  curl --silent --max-time 20 "$theirs/metrics" |
    awk '/^codexway_turns_total/ { turns += $NF } END { print turns + 0 }'
}

is_set_back() {
  if [ -s "$HOME/file" ]; then
    local told
    told=$("$CODEXWAY_BINARY" connect "$client" --undo 2>&1)
    # Nobody has written into the file meanwhile.
    case $told in *warning*) printf '%s\n' "$told" && return 1 ;; esac
  fi
  # What connect writes into, and no other file: agents write into their own.
  if [ -s "$HOME/file" ] && [ -n "$settings" ]; then
    cmp "$HOME/settings" "$HOME/$settings"
  fi
  [ ! -s "$HOME/file" ] || [ "$(cat "$HOME/file")" = "$HOME/$settings" ] ||
    [ ! -e "$(cat "$HOME/file")" ]
  same "$(find "$HOME" -name '*-codexway*')" ""
}

start_ours() {
  local info=$HOME/ours.json
  RUST_LOG=warn,codexway=debug "$CODEXWAY_BINARY" demo --listen 127.0.0.1:0 \
    --server-info "$info" 2>"$HOME/ours.log" &
  server=$!
  trap stop_ours EXIT
  for _ in $(seq 100); do
    [ ! -e "$info" ] || break
    sleep 0.1
  done
  ours=$(sed -n 's/.*"url": *"\([^"]*\)".*/\1/p' "$info")
}

stop_ours() {
  [ -n "$server" ] || return 0
  kill "$server" && wait "$server" || true
  server=
}
