/**
 * A stand-in for the tool `xfs_quota` and the table of mounts: it takes the tool's arguments, remembers projects and
 * limits in files, counts by `du` and answers in the tool's format, with its habit to end with 0 whatever happens.
 */

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { QuotaPlaces } from '../shell/xfs-quota.ts';

/** One call of the tool. */
export interface ToolCall {
  readonly cwd: string;
  readonly command: string;
  readonly mount: string;
}

export interface FakeXfsQuota {
  readonly places: QuotaPlaces;
  /** All calls so far that were no reports. */
  calls(): readonly ToolCall[];
  /** What the tool was told of a project. */
  project(id: number): { readonly path: string | undefined; readonly limit: string | undefined };
  /** The numbers that were given to directories. */
  ids(): readonly number[];
  /** It fails at these commands from now on; undefined lets it work again. */
  fail(failure: { readonly command: string; readonly stderr: string } | undefined): void;
  setMount(line: string): void;
}

/** Makes them in a directory, for a file system that is mounted at the root. */
export function fakeXfsQuota(root: string): FakeXfsQuota {
  const state = join(root, 'xfs');
  mkdirSync(state, { recursive: true });
  const places = { tool: join(root, 'xfs_quota'), mountTable: join(root, 'mountinfo') };
  writeFileSync(places.tool, SCRIPT.replaceAll('@STATE@', state), { mode: 0o755 });
  const setMount = (line: string): void => writeFileSync(places.mountTable, `${line}\n`);
  setMount(mountLine('xfs', 'rw,attr2,inode64,prjquota'));
  const contentOf = (name: string): string | undefined => {
    try {
      return readFileSync(join(state, name), 'utf8').trimEnd();
    } catch {
      return undefined;
    }
  };
  return {
    places,
    setMount,
    calls: () =>
      (contentOf('log') ?? '')
        .split('\n')
        .filter((line) => line !== '' && !line.includes('|report'))
        .map((line) => {
          const [cwd = '', command = '', mount = ''] = line.split('|');
          return { cwd, command, mount };
        }),
    project: (id) => ({ path: contentOf(`${id}.path`), limit: contentOf(`${id}.limit`) }),
    ids: () =>
      readdirSync(state)
        .filter((name) => name.endsWith('.path'))
        .map((name) => Number.parseInt(name, 10))
        .sort((one, other) => one - other),
    fail(failure) {
      for (const name of ['fail', 'stderr']) rmSync(join(state, name), { force: true });
      if (failure === undefined) return;
      writeFileSync(join(state, 'stderr'), `${failure.stderr}\n`);
      writeFileSync(join(state, 'fail'), failure.command);
    },
  };
}

export const mountLine = (type: string, options: string, point = '/'): string =>
  `65 27 7:0 / ${point} rw,relatime shared:1 - ${type} /dev/sda1 ${options}`;

const SCRIPT = `#!/bin/sh
[ "$1 $2 $3 $4 $5 $6" = "-x -D /dev/null -P /dev/null -c" ] || { echo "usage: $*" >&2; exit 1; }
state='@STATE@'
command="$7"
echo "$PWD|$command|$8" >> "$state/log"
if [ -f "$state/fail" ]; then
  case "$command" in "$(cat "$state/fail")"*) cat "$state/stderr" >&2; exit 0;; esac
fi
set -- $command
case "$command" in
  'project -s -d 0 -p . '* | 'project -s -d -1 -p . '*)
    echo "Setting up project $7 (path .)..."
    echo 'xfs_quota: skipping special file ./link' >&2
    echo "Processed 1 (/dev/null and cmdline) paths for project $7 with recursion depth $4."
    echo "$PWD" > "$state/$7.path" ;;
  'limit -p bsoft='*)
    echo "$3 $4" > "$state/$5.limit" ;;
  'report -p -n -N -b')
    echo '#0                  8          0          0     00 [--------]'
    for file in "$state"/*.path; do
      [ -f "$file" ] || continue
      id=$(basename "$file" .path)
      used=$(du -sk "$(cat "$file")" 2>/dev/null | cut -f1)
      printf '#%-10s %10s %10s %10s     00 [--------]\\n' "$id" "\${used:-0}" 0 0
    done
    echo ;;
  *) echo "command \\"$1\\" not found" >&2 ;;
esac
`;
