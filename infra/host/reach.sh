#!/bin/bash
# Connects to other hosts and says what answers. Arguments: address:port:token; a dash for a port that need not say
# anything. One answer a line, words separated by tabs: address, port, and `right`, `wrong`, `refused` or `silent`.
ask() {
  local address=$1 port=$2 token=$3 said code answer=refused
  # Whoever listens for us may not be there yet.
  for _ in 1 2 3 4 5 6 7 8; do
    said=$(timeout 5 bash -c '
      exec 3<>"/dev/tcp/$1/$2" || exit 1
      [ "$3" = - ] || IFS= read -r -t 4 line <&3
      printf %s "$line"' ask "$address" "$port" "$token" 2>/dev/null)
    code=$?
    case $code in
      0) if [ "$token" = - ] || [ "$said" = "$token" ]; then answer=right; else answer=wrong; fi ;;
      124) answer=silent ;;
    esac
    [ "$answer" = refused ] || break
    sleep 0.5
  done
  printf '%s\t%s\t%s\n' "$address" "$port" "$answer"
}
running=0
for way in "$@"; do
  IFS=: read -r address port token <<<"$way"
  ask "$address" "$port" "$token" &
  running=$((running + 1))
  if [ "$running" -ge 20 ]; then
    wait -n
    running=$((running - 1))
  fi
done
wait
