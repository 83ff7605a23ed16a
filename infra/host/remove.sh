#!/bin/sh
# Takes away what the installer and the cluster made on this host: units with all their processes, tasks too, files and
# state. Packages of the distribution stay, since others may use them. Run again it does the same.
units=$(cd /etc/systemd/system 2>/dev/null && ls -d dcos*.service 2>/dev/null)
# What a deployment that was killed has left running for some minutes.
systemctl stop 'dcos-preflight-*.service' dcos-release-relay.service 2>/dev/null
# Tasks outlive their agent, so the group of each unit has to be known before it stops.
groups=
for unit in $units; do
  group=$(systemctl show "$unit" -p ControlGroup | sed 's/^ControlGroup=//')
  [ -n "$group" ] || group=/system.slice/$unit
  groups="$groups $group"
done
# shellcheck disable=SC2086
[ -z "$units" ] || systemctl disable --now --quiet $units dcos.target 2>/dev/null
failed=0
for group in $groups; do
  for root in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
    [ -d "$root$group" ] || continue
    tries=0
    while pids=$(find "$root$group" -name cgroup.procs -exec cat {} + 2>/dev/null) && [ -n "$pids" ]; do
      tries=$((tries + 1))
      if [ "$tries" -gt 100 ]; then
        echo "processes of $group do not end: $pids" >&2
        failed=1
        break
      fi
      # shellcheck disable=SC2086
      kill -KILL $pids 2>/dev/null
      sleep 0.1
    done
  done
done
[ "$failed" = 0 ] || exit 1
set -e
rm -f /etc/systemd/system/dcos*.service /etc/systemd/system/dcos.target \
  /etc/systemd/system/multi-user.target.wants/dcos.target
rm -rf /etc/systemd/system/dcos.target.wants
systemctl daemon-reload
systemctl reset-failed 'dcos*' 2>/dev/null || true
rm -rf --one-file-system /opt/dcos /etc/dcos /var/cache/dcos
# Of programs of a release that were run by hand, or for a backup.
rm -rf --one-file-system "${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/dcos-compiled"
for state in /var/lib/dcos/* /var/lib/dcos/.[!.]*; do
  [ "$state" = /var/lib/dcos/installer ] || rm -rf --one-file-system "$state"
done
rm -rf --one-file-system /var/lib/dcos
