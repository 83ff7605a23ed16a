#!/bin/sh
# Says which packages of the distribution cannot be had, and installs none. Arguments: their names. One problem a line,
# words separated by tabs: `unknown` and a name, or `unreachable` and why. What it fetches for that goes again.
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
complaint() { grep -E "$1" "$scratch/said" | head -n 1; }
if command -v apt-get >/dev/null 2>&1; then
  mkdir -p "$scratch/lists/partial" "$scratch/cache/archives/partial"
  settings="-o Dir::State::Lists=$scratch/lists -o Dir::Cache=$scratch/cache
    -o Acquire::http::Timeout=10 -o Acquire::https::Timeout=10 -o Acquire::Retries=0"
  # shellcheck disable=SC2086
  apt-get $settings update -q >"$scratch/said" 2>&1
  why=$(complaint '^(Err|[EW]):')
  for package in "$@"; do
    # shellcheck disable=SC2086
    candidate=$(apt-cache $settings policy "$package" 2>/dev/null | sed -n 's/^ *Candidate: //p')
    case $candidate in
      '' | '(none)') if [ -n "$why" ]; then printf 'unreachable\t%s\n' "$why"; else printf 'unknown\t%s\n' "$package"; fi ;;
    esac
  done | sort -u
elif command -v dnf >/dev/null 2>&1; then
  for package in "$@"; do
    # One that is away is told of, also where the host is set to pass it over.
    dnf -q --setopt=timeout=10 --setopt=retries=1 '--setopt=*.skip_if_unavailable=False' info "$package" >"$scratch/said" 2>&1 && continue
    why=$(complaint 'Failed to download|Cannot (download|prepare)|Curl error')
    if [ -n "$why" ]; then printf 'unreachable\t%s\n' "$why"; else printf 'unknown\t%s\n' "$package"; fi
  done | sort -u
else
  printf 'unreachable\tthere is neither apt-get nor dnf\n'
fi
