/** What a cluster in memory knows, and the programs of hosts that take it, bring it, look at it and put it back. */

import { createHash } from 'node:crypto';
import { ACTIVE } from '../core/cluster.ts';
import type { RunResult } from '../hosts/connection.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A state with these keys, as `dcos-ops backup` writes it. */
export function stateOf(...keys: readonly string[]): string {
  const lines = keys.map((key) => `${JSON.stringify({ key, value: '' })}\n`);
  const text = `{"format":"dcos-backup","version":1}\n${lines.join('')}`;
  return `${text}${JSON.stringify({ sha256: sha256(text) })}\n`;
}

/** Where the state is, and files of one host. */
export interface StatePlace {
  state: string;
  readonly files: Map<string, string>;
}

/** The answer of such a program; undefined for any other. */
export function runStateProgram(
  name: string,
  words: readonly string[],
  place: StatePlace,
): RunResult | undefined {
  if (name === `${ACTIVE}/bin/dcos-ops`) return ops(words, place);
  const text = place.files.get(words[0] ?? '');
  if (name === 'look') return done(looked(text ?? ''));
  if (name !== 'download') return undefined;
  if (text === undefined) return { code: 1, stdout: '', stderr: 'no such file' };
  const [, start, size] = words;
  if (start === undefined) return done(`${Buffer.byteLength(text)}\n${sha256(text)}\n`);
  const piece = Buffer.from(text).subarray(Number(start) - 1);
  return done(piece.subarray(0, Number(size)).toString('base64'));
}

function ops([action, ...flags]: readonly string[], place: StatePlace): RunResult {
  const valueOf = (flag: string): string => flags[flags.indexOf(flag) + 1] ?? '';
  if (action === 'backup') place.files.set(valueOf('--to'), place.state);
  else place.state = place.files.get(valueOf('--from')) ?? '';
  return done();
}

/** As `sort | uniq -c` prints it. */
function looked(text: string): string {
  const counts = new Map<string, number>();
  for (const [, kind = ''] of text.matchAll(/^\{"key":"([^/"]+\/[^/"]+)/gm))
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return [...counts].map(([kind, count]) => `      ${count} ${kind}\n`).join('');
}

function done(stdout = ''): RunResult {
  return { code: 0, stdout, stderr: '' };
}
