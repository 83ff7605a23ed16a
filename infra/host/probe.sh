#!/bin/sh
# Says what this host is and has, one fact a line, words separated by tabs. Changes nothing.
# Arguments: names of programs to look for. Read by installer/src/core/host-facts.ts.
fact() { printf '%s\t' "$1"; shift; printf '%s\n' "$*"; }
if [ -r /etc/os-release ]; then
  . /etc/os-release
  fact os.id "$ID"; fact os.like "$ID_LIKE"; fact os.version "$VERSION_ID"
fi
fact architecture "$(uname -m)"
fact user "$(id -u)"
fact machine "$(cat /etc/machine-id 2>/dev/null)"
fact systemd "$([ -d /run/systemd/system ] && systemctl --version | sed -n '1s/systemd \([0-9]*\).*/\1/p')"
fact memory.kib "$(sed -n 's/^MemTotal: *\([0-9]*\).*/\1/p' /proc/meminfo)"
disk=/opt
[ -d "$disk" ] || disk=/
fact disk.kib "$(df -Pk "$disk" | awk 'NR == 2 { print $4 }')"
for directory in / /opt /var/lib /var/lib/dcos /var/log /tmp; do
  [ -d "$directory" ] || continue
  df -Pk "$directory" | awk -v path="$directory" '
    NR == FNR { if (FNR == 2) { mount = $6; size = $2; free = $4 } next }
    $2 == mount { options = "," $4 "," }
    END { print "disk\t" path "\t" mount "\t" size "\t" free "\t" (options ~ /,noexec,/ ? "noexec" : "") }' - /proc/mounts
done
case "$(stat -fc %T /sys/fs/cgroup 2>/dev/null)" in
  cgroup2fs) fact cgroups 2 ;;
  *) if ls -d /sys/fs/cgroup/*/cgroup.procs >/dev/null 2>&1; then fact cgroups 1; fi ;;
esac
if [ "$(cat /sys/fs/selinux/enforce 2>/dev/null)" = 1 ]; then fact selinux enforcing; fi
if systemctl is-active --quiet firewalld 2>/dev/null; then fact firewall firewalld; fi
if getent hosts "$(uname -n)" >/dev/null 2>&1; then fact name.resolves "$(uname -n)"; fi
# Containers have the clock of their machine.
if ! systemd-detect-virt --quiet --container 2>/dev/null; then
  fact clock.synchronised "$(timedatectl show -p NTPSynchronized --value 2>/dev/null)"
fi
for program in "$@"; do
  if command -v "$program" >/dev/null 2>&1; then fact program "$program"; fi
done
# Listeners of a preflight that was cut short are ours, and end with the next one.
ours=
for port in $(systemctl show 'dcos-preflight-*.service' -p ExecStart 2>/dev/null |
  grep -o -e '-l [0-9.]*:[0-9]*' | sed 's/.*://' | sort -u); do
  ours="$ours:$(printf %04X "$port"):"
done
# State 0A listens; UDP sockets have no such state, 07 is one without a peer. Addresses are in hexadecimal, backwards.
for table in tcp tcp6 udp udp6; do
  [ -r "/proc/net/$table" ] || continue
  case $table in tcp*) state=0A ;; *) state=07 ;; esac
  awk -v state="$state" -v ours="$ours" 'NR > 1 && $4 == state {
    loopback = $2 ~ /^(......7F|0000000000000000FFFF0000......7F|00000000000000000000000001000000):/
    word = loopback ? "port.loopback" : "port"
    sub(/.*:/, "", $2)
    if (state == "07" || !index(ours, ":" $2 ":")) print word "\t" $2 }' "/proc/net/$table" | sort -u
done
awk '/32 host/ { print "address\t" last } { last = $2 }' /proc/net/fib_trie | sort -u
if [ -L /opt/dcos/active ]; then fact release.active "$(basename "$(readlink /opt/dcos/active)")"; fi
if [ -L /opt/dcos/former ]; then fact release.former "$(basename "$(readlink /opt/dcos/former)")"; fi
for release in /opt/dcos/releases/*; do
  case $release in *.partial) continue ;; esac
  if [ -d "$release" ]; then fact release "$(basename "$release")"; fi
done
for file in $(find /etc/dcos -path /etc/dcos/override -prune -o -type f -print 2>/dev/null) \
  /etc/systemd/system/dcos*.service /etc/systemd/system/dcos.target /var/lib/dcos/zookeeper/myid \
  /var/lib/dcos/pki/authority.json; do
  [ -f "$file" ] || continue
  printf 'file\t%s\t%s\t%s\n' "$(sha256sum "$file" | cut -d ' ' -f 1)" "$(stat -c %a "$file")" "$file"
done
# Certificates are public; of the key beside one only its public part is told.
for file in /etc/dcos/tls/ca.crt /etc/dcos/tls/node.pem; do
  [ -r "$file" ] || continue
  printf 'certificate\t%s\t%s\n' "$file" \
    "$(sed -n '/-BEGIN CERTIFICATE-/,/-END CERTIFICATE-/p' "$file" | tr '\n' '~')"
done
if [ -r /etc/dcos/tls/node.pem ] && [ -x /opt/dcos/active/bin/node ]; then
  fact public.key "$(/opt/dcos/active/bin/node -e '
    const { createPrivateKey, createPublicKey } = require("node:crypto");
    const key = createPrivateKey(require("node:fs").readFileSync("/etc/dcos/tls/node.pem"));
    const shown = createPublicKey(key).export({ type: "spki", format: "der" });
    process.stdout.write(shown.toString("base64"));
  ' 2>/dev/null)"
fi
for file in /etc/systemd/system/dcos*.service /etc/systemd/system/dcos.target; do
  [ -f "$file" ] || continue
  unit=$(basename "$file")
  property() { systemctl show "$unit" -p "$1" | sed "s/^$1=//"; }
  pid=$(property MainPID)
  mark=
  if [ "${pid:-0}" != 0 ] && [ -r "/proc/$pid/environ" ]; then
    mark=$(tr '\0' '\n' <"/proc/$pid/environ" | sed -n 's/^DCOS_UNIT_FINGERPRINT=//p')
  fi
  printf 'unit\t%s\t%s\t%s\t%s\t%s\n' "${unit%.service}" "$(property ActiveState)" "$(property UnitFileState)" "$(property NRestarts)" "$mark"
done
# Last, so that it is no older than the answer.
fact clock "$(date +%s)"
fact end yes
