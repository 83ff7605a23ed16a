/** Packets as a server of version 3.8.0 takes and gives them; taken from the wire. */

import { describe, expect, test } from 'vitest';
import { JuteError, JuteReader, JuteWriter } from './jute.ts';
import {
  failedOperation,
  PERMISSION,
  readReply,
  writeOperation,
  type Operation,
} from './operations.ts';
import { chrooted } from './paths.ts';
import {
  authFrame,
  connectFrame,
  NO_SESSION,
  readConnectAnswer,
  readWatchEvent,
  requestFrame,
  setWatchesFrame,
} from './protocol.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const reader = (text: string): JuteReader =>
  new JuteReader(Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ''), 'hex')));
const plain = chrooted('/');
const acl = [{ permissions: PERMISSION.all, scheme: 'world', id: 'anyone' }];
const x = Uint8Array.from([0x78]);
const STAT_HEX =
  '0000000000000010 0000000000000011 000001a21e98d965 000001a21e98d966 00000001 00000002 00000003 00a0000000000000 00000004 00000005 0000000000000012';
const STAT = {
  czxid: 0x10n,
  mzxid: 0x11n,
  ctimeMs: 0x1a21e98d965n,
  mtimeMs: 0x1a21e98d966n,
  version: 1,
  childrenVersion: 2,
  aclVersion: 3,
  ephemeralOwner: 0xa0000000000000n,
  dataBytes: 4,
  childrenCount: 5,
  pzxid: 0x12n,
};
const ACL_HEX = '00000001 0000001f 00000005 776f726c64 00000006 616e796f6e65';

describe('requests', () => {
  const cases: readonly (readonly [string, Operation, string])[] = [
    [
      'create',
      { kind: 'create', path: '/a', data: x, acl, mode: 'ephemeralSequential' },
      `00000007 0000000f 00000002 2f61 00000001 78 ${ACL_HEX} 00000003`,
    ],
    [
      'create a container',
      { kind: 'create', path: '/a', data: x, acl, mode: 'container' },
      `00000007 00000013 00000002 2f61 00000001 78 ${ACL_HEX} 00000004`,
    ],
    [
      'create for a time',
      { kind: 'create', path: '/a', data: x, acl, mode: 'persistentTtl', ttlMs: 9 },
      `00000007 00000015 00000002 2f61 00000001 78 ${ACL_HEX} 00000005 0000000000000009`,
    ],
    [
      'delete',
      { kind: 'delete', path: '/a', version: -1 },
      '00000007 00000002 00000002 2f61 ffffffff',
    ],
    ['exists', { kind: 'exists', path: '/a', watch: true }, '00000007 00000003 00000002 2f61 01'],
    [
      'getData',
      { kind: 'getData', path: '/a', watch: false },
      '00000007 00000004 00000002 2f61 00',
    ],
    [
      'setData',
      { kind: 'setData', path: '/a', data: x, version: 5 },
      '00000007 00000005 00000002 2f61 00000001 78 00000005',
    ],
    ['getAcl', { kind: 'getAcl', path: '/a' }, '00000007 00000006 00000002 2f61'],
    [
      'setAcl',
      { kind: 'setAcl', path: '/a', acl, version: 2 },
      `00000007 00000007 00000002 2f61 ${ACL_HEX} 00000002`,
    ],
    ['sync', { kind: 'sync', path: '/a' }, '00000007 00000009 00000002 2f61'],
    [
      'getChildren',
      { kind: 'getChildren', path: '/a', watch: true },
      '00000007 0000000c 00000002 2f61 01',
    ],
    [
      'addWatch',
      { kind: 'addWatch', path: '/a', recursive: true },
      '00000007 0000006a 00000002 2f61 00000001',
    ],
    [
      'multi',
      {
        kind: 'multi',
        operations: [
          { kind: 'check', path: '/a', version: 1 },
          { kind: 'delete', path: '/b', version: 2 },
        ],
      },
      '00000007 0000000e 0000000d 00 ffffffff 00000002 2f61 00000001 00000002 00 ffffffff 00000002 2f62 00000002 ffffffff 01 ffffffff',
    ],
    [
      'multiRead',
      { kind: 'multiRead', paths: ['/a', '/b'] },
      '00000007 00000016 00000004 00 ffffffff 00000002 2f61 00 00000004 00 ffffffff 00000002 2f62 00 ffffffff 01 ffffffff',
    ],
  ];
  test.each(cases)('%s', (_name, operation, expected) => {
    const frame = requestFrame(7, operation, plain);
    const body = expected.replaceAll(' ', '');
    expect(hex(frame)).toBe((body.length / 2).toString(16).padStart(8, '0') + body);
  });

  test('the handshake, the log-in and the watches', () => {
    expect(hex(connectFrame(5n, 10_000, NO_SESSION))).toBe(
      `0000002d00000000000000000000000500002710000000000000000000000010${'00'.repeat(16)}00`,
    );
    expect(hex(authFrame({ user: 'u', password: 'p' }))).toBe(
      '0000001dfffffffc00000064000000000000000664696765737400000003753a70',
    );
    const none = { data: [], exist: [], children: [], persistent: [], recursive: [] };
    expect(
      hex(setWatchesFrame(9n, { ...none, data: ['/a'], children: ['/'] }, chrooted('/r'))),
    ).toBe(
      '0000002afffffff800000065000000000000000900000001000000042f722f610000000000000001000000022f72',
    );
    expect(hex(setWatchesFrame(9n, { ...none, recursive: ['/'] }, plain)).slice(8, 24)).toBe(
      'fffffff800000069',
    );
  });
});

describe('answers', () => {
  const cases: readonly (readonly [Operation, string, unknown])[] = [
    [
      { kind: 'create', path: '/a', data: x, acl, mode: 'persistent' },
      `00000002 2f61 ${STAT_HEX}`,
      { path: '/a', stat: STAT },
    ],
    [{ kind: 'exists', path: '/a', watch: false }, STAT_HEX, STAT],
    [
      { kind: 'getData', path: '/a', watch: false },
      `00000001 78 ${STAT_HEX}`,
      { data: x, stat: STAT },
    ],
    [
      { kind: 'getChildren', path: '/a', watch: false },
      `00000001 00000001 62 ${STAT_HEX}`,
      { children: ['b'], stat: STAT },
    ],
    [{ kind: 'getAcl', path: '/a' }, `${ACL_HEX} ${STAT_HEX}`, { acl, stat: STAT }],
    [{ kind: 'sync', path: '/a' }, '00000002 2f61', { path: '/a' }],
    [{ kind: 'delete', path: '/a', version: 0 }, '', null],
  ];
  test.each(cases)('$kind', (operation, text, expected) => {
    expect(readReply(reader(text), operation, plain)).toEqual(expected);
  });

  test('a multi that was done; creations come with or without what is known of them', () => {
    const text = `00000001 00 00000000 00000002 2f61  0000000f 00 00000000 00000002 2f62 ${STAT_HEX}
      00000005 00 00000000 ${STAT_HEX}  0000000d 00 00000000  00000002 00 00000000  ffffffff 01 ffffffff`;
    const results = readReply(reader(text), { kind: 'multi', operations: [] }, plain);
    expect(results).toEqual([
      { kind: 'created', path: '/a' },
      { kind: 'created', path: '/b' },
      { kind: 'set', stat: STAT },
      { kind: 'done' },
      { kind: 'done' },
    ]);
  });

  test('what many nodes hold, and why some could not be read', () => {
    const text = `00000004 00 00000000 00000001 78 ${STAT_HEX} ffffffff 00 ffffff9b ffffff9b ffffffff 01 ffffffff`;
    const results = readReply(reader(text), { kind: 'multiRead', paths: ['/a', '/b'] }, plain);
    expect(results).toEqual([
      { kind: 'data', data: x, stat: STAT },
      { kind: 'error', error: 'NONODE' },
    ]);
    const strange = reader(text.replace('00000004', '00000005'));
    expect(() => readReply(strange, { kind: 'multiRead', paths: [] }, plain)).toThrow(JuteError);
  });

  test('a multi that was not done names the operation that failed', () => {
    const text = `ffffffff 00 00000000 00000000  ffffffff 00 ffffff99 ffffff99
      ffffffff 00 fffffffe fffffffe  ffffffff 01 ffffffff`;
    const results = readReply(reader(text), { kind: 'multi', operations: [] }, plain);
    expect(failedOperation(results as never)).toEqual({ index: 1, error: 'BADVERSION' });
  });

  test('the handshake and a watch event', () => {
    const text = `00000000 00000fa0 0100000000000001 00000010 ${'07'.repeat(16)} 00`;
    expect(readConnectAnswer(reader(text))).toEqual({
      timeoutMs: 4000,
      session: { id: 0x100000000000001n, password: new Uint8Array(16).fill(7) },
    });
    const event = reader('00000003 00000003 00000005 2f722f6162');
    expect(readWatchEvent(event, chrooted('/r'))).toEqual({ kind: 'dataChanged', path: '/ab' });
  });

  test('what lies outside of the chroot, or is no known result, is not understood', () => {
    const created: Operation = { kind: 'create', path: '/a', data: x, acl, mode: 'persistent' };
    const outside = reader(`00000002 2f61 ${STAT_HEX}`);
    expect(() => readReply(outside, created, chrooted('/r'))).toThrow(JuteError);
    const strange = reader('00000063 00 00000000');
    expect(() => readReply(strange, { kind: 'multi', operations: [] }, plain)).toThrow(JuteError);
  });
});

test('paths are put below the chroot', () => {
  const writer = new JuteWriter();
  writeOperation(writer, { kind: 'exists', path: '/', watch: false }, chrooted('/r'));
  expect(hex(writer.bytes())).toBe('000000022f7200');
});
