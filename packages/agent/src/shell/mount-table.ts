/** What is mounted where, from the table of this process's mounts (`/proc/self/mountinfo`, see proc(5)). */

/** The table of this process. Only Linux has one. */
export const MOUNT_TABLE = '/proc/self/mountinfo';

export interface Mount {
  readonly point: string;
  /** Type of the file system. */
  readonly type: string;
  /** Options of the file system, those of every place where it is mounted. */
  readonly options: ReadonlySet<string>;
}

/** Every mount, in the order of the table. */
export function parseMountTable(table: string): readonly Mount[] {
  const mounts: Mount[] = [];
  for (const line of table.split('\n')) {
    // Between the two halves is any number of optional fields, and a dash.
    const [own = '', ofFileSystem = ''] = line.split(' - ');
    const point = own.split(' ')[4];
    if (point === undefined) continue;
    const [type = '', , options = ''] = ofFileSystem.split(' ');
    mounts.push({ point: unescaped(point), type, options: new Set(options.split(',')) });
  }
  return mounts;
}

/** The mount that a path without links lies in: the innermost, and of several at one place the last. */
export function mountOf(path: string, mounts: readonly Mount[]): Mount | undefined {
  let found: Mount | undefined;
  for (const mount of mounts) {
    const prefix = mount.point === '/' ? '/' : `${mount.point}/`;
    if (`${path}/`.startsWith(prefix) && mount.point.length >= (found?.point.length ?? 0))
      found = mount;
  }
  return found;
}

/** White space and backslashes are octal. */
function unescaped(field: string): string {
  return field.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCodePoint(Number.parseInt(octal, 8)),
  );
}
