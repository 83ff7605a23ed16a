#!/bin/sh
# The first process of a container that acts as a host. The engine mounts the cgroup hierarchies of the host's own
# namespace read-only, but systemd and agents have to write them.
set -e
for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/*; do
  if mountpoint -q "$hierarchy"; then mount -o remount,bind,rw "$hierarchy"; fi
done
exec /sbin/init "$@"
