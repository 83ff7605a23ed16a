/**
 * The compatibility table against the schema: every call, event, endpoint, operation and capability of the
 * Mesos v1 APIs has a row, every row says where it stands, and every test that it names exists.
 */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const document = readFileSync(join(root, 'docs', 'compatibility', 'mesos-v1.md'), 'utf8');

interface SchemaPackage {
  readonly enums?: readonly {
    readonly name: string;
    readonly values: Readonly<Record<string, number>>;
  }[];
}

const schema = JSON.parse(
  readFileSync(join(root, 'packages', 'wire', 'schema', 'mesos-v1.json'), 'utf8'),
) as { readonly packages: Readonly<Record<string, SchemaPackage>> };

/** Section of the document and the enumeration that it lists. */
const SECTIONS: readonly (readonly [
  section: string,
  schemaPackage: string,
  enumeration: string,
])[] = [
  ['Scheduler calls', 'mesos.v1.scheduler', 'Call.Type'],
  ['Scheduler events', 'mesos.v1.scheduler', 'Event.Type'],
  ['Offer operations', 'mesos.v1', 'Offer.Operation.Type'],
  ['Framework capabilities', 'mesos.v1', 'FrameworkInfo.Capability.Type'],
  ['Operator calls', 'mesos.v1.master', 'Call.Type'],
  ['Operator events', 'mesos.v1.master', 'Event.Type'],
  ['Agent calls', 'mesos.v1.agent', 'Call.Type'],
  ['Executor calls', 'mesos.v1.executor', 'Call.Type'],
  ['Executor events', 'mesos.v1.executor', 'Event.Type'],
  ['Agent capabilities', 'mesos.v1', 'AgentInfo.Capability.Type'],
  ['Master capabilities', 'mesos.v1', 'MasterInfo.Capability.Type'],
  ['Task states', 'mesos.v1', 'TaskState'],
  ['Operation states', 'mesos.v1', 'OperationState'],
];

/** All endpoints of the original's master, from its documentation. */
const ENDPOINTS: readonly string[] = [
  '/api/v1',
  '/api/v1/scheduler',
  '/state',
  '/state-summary',
  '/slaves',
  '/frameworks',
  '/tasks',
  '/roles',
  '/health',
  '/flags',
  '/version',
  '/metrics/snapshot',
  '/redirect',
  '/teardown',
  '/reserve',
  '/unreserve',
  '/create-volumes',
  '/destroy-volumes',
  '/quota',
  '/weights',
  '/maintenance/schedule',
  '/maintenance/status',
  '/machine/down',
  '/machine/up',
  '/files/browse',
  '/files/read',
  '/files/download',
  '/files/debug',
  '/logging/toggle',
  '/profiler/start',
  '/profiler/stop',
  '/memory-profiler',
  '/system/stats.json',
  '/help',
  '/__processes__',
];

interface Row {
  readonly section: string;
  readonly name: string;
  readonly state: string;
  readonly proofs: readonly string[];
}

function rowsOf(text: string): readonly Row[] {
  const rows: Row[] = [];
  let section = '';
  for (const line of text.split('\n')) {
    if (line.startsWith('## ')) section = line.slice(3).trim();
    const cells = line.split('|').map((cell) => cell.trim());
    if (cells.length < 5 || cells[1] === undefined || !cells[1].startsWith('`')) continue;
    rows.push({
      section,
      name: cells[1].replaceAll('`', ''),
      state: cells[2] ?? '',
      proofs: [...(cells[3] ?? '').matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ''),
    });
  }
  return rows;
}

const rows = rowsOf(document);

describe.each(SECTIONS)('%s', (section, schemaPackage, enumeration) => {
  test('every value of the schema has a row', () => {
    const values = schema.packages[schemaPackage]?.enums?.find(
      ({ name }) => name === enumeration,
    )?.values;
    const expected = Object.keys(values ?? {}).filter((name) => name !== 'UNKNOWN');
    expect(expected).not.toEqual([]);
    const listed = rows.filter((row) => row.section === section).map(({ name }) => name);
    expect([...listed].sort()).toEqual([...expected].sort());
  });
});

test('every endpoint has a row', () => {
  const listed = rows.filter(({ section }) => section === 'Endpoints').map(({ name }) => name);
  expect([...listed].sort()).toEqual([...ENDPOINTS].sort());
});

test.each(rows)('$section: $name says where it stands and what proves it', ({ state, proofs }) => {
  expect(state).toMatch(/^(done|partly: .{8,}|no: .{8,})$/);
  if (state.startsWith('no')) return;
  expect(proofs).not.toEqual([]);
  expect(proofs.filter((file) => !existsSync(join(root, file)))).toEqual([]);
});
