/**
 * The file of a cluster's backup: its configuration, and its state as `dcos-ops backup` writes it, which has a checksum
 * of its own.
 *
 *     {"format":"dcos-cluster-backup","version":1,"createdAt":"…","cluster":{"name":"…","id":"…"},"document":{…}}
 *     <lines of the state>
 *     {"sha256":"<of all bytes before this line>"}
 *
 * Also: what the state of a cluster has on which nobody has worked yet, so that a restore knows what it would replace.
 */

import { err, ok, parseJsonObject, type JsonValue, type Result } from '@dcos/base';

const FORMAT = 'dcos-cluster-backup';
const VERSION = 1;
const LINE_FEED = 0x0a;

export interface BackupHeader {
  readonly createdAt: string;
  readonly cluster: { readonly name: string; readonly id: string };
  /** The configuration of the cluster. */
  readonly document: JsonValue;
}

export interface ClusterBackup extends BackupHeader {
  readonly state: Uint8Array;
}

/** The first line. */
export function headerLine({ createdAt, cluster, document }: BackupHeader): string {
  return `${JSON.stringify({ format: FORMAT, version: VERSION, createdAt, cluster, document })}\n`;
}

/** The last one. */
export function endLine(sha256: string): string {
  return `${JSON.stringify({ sha256 })}\n`;
}

/** What reading needs of the world. */
export interface BackupTools {
  /** SHA-256 in hexadecimal. */
  readonly digest: (part: Uint8Array) => string;
  /** UTF-8. */
  readonly decode: (part: Uint8Array) => string;
}

/** Reads a file whole; the error says why it is none. */
export function parseClusterBackup(
  bytes: Uint8Array,
  { digest, decode }: BackupTools,
): Result<ClusterBackup, string> {
  const headerEnd = bytes.indexOf(LINE_FEED) + 1;
  const end = bytes.lastIndexOf(LINE_FEED, bytes.length - 2) + 1;
  const header = parseJsonObject(decode(bytes.subarray(0, headerEnd)));
  if (header?.['format'] !== FORMAT) return err('it does not begin as one');
  if (header['version'] !== VERSION) {
    return err(
      `it has the format ${JSON.stringify(header['version'])}, this installer reads ${VERSION}`,
    );
  }
  const sha256 = parseJsonObject(decode(bytes.subarray(end)))?.['sha256'];
  if (end <= headerEnd || sha256 !== digest(bytes.subarray(0, end)))
    return err('its checksum is another: it is damaged, or a part is missing');
  const { createdAt, cluster, document } = header as unknown as BackupHeader;
  return ok({ createdAt, cluster, document, state: bytes.subarray(headerEnd, end) });
}

/** Marks a restore that is under way. */
export const RESTORE_MARK = 'ops/restore';
/** What is there before anybody has asked for anything, by the first two parts of its keys. */
const FROM_THE_FIRST_DAY = new Set([
  'master/agents',
  'master/frameworks',
  'master/gone',
  'master/incidents',
  'master/unreachable',
  'marathon/framework',
  RESTORE_MARK,
]);
const FRAMEWORKS = 'master/frameworks';

/** What of a state people or their programs made, in words; empty for a cluster that is new. */
export function workIn(counts: ReadonlyMap<string, number>): readonly string[] {
  const lines = [...counts]
    .filter(([kind]) => !FROM_THE_FIRST_DAY.has(kind))
    .map(([kind, count]) => `${count} of ${kind}`);
  // One of them is the cluster's own Marathon.
  const frameworks = (counts.get(FRAMEWORKS) ?? 0) - 1;
  return frameworks > 0 ? [...lines, `${frameworks} of ${FRAMEWORKS}`] : lines;
}
