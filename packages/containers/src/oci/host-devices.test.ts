import { describe, expect, test } from 'vitest';
import { numbersOf } from '../host-device.ts';
import { findDevices } from './host-devices.ts';

describe.runIf(process.platform === 'linux')('a device of the host', () => {
  test('is found by its path, with its numbers', async () => {
    expect(
      await findDevices([{ device: { path: '/dev/null' }, access: { read: true, mknod: true } }]),
    ).toEqual([
      expect.objectContaining({ path: '/dev/null', type: 'c', major: 1, minor: 3, access: 'rm' }),
    ]);
  });

  test.each([
    ['is not there', { path: '/dev/none' }, 'there is no device /dev/none'],
    ['is something else', { path: '/dev/fd' }, '/dev/fd is no device'],
    ['has no path', {}, 'an allowed device needs a path below /dev'],
    ['is not among devices', { path: '/etc/passwd' }, 'a path below /dev: /etc/passwd'],
    ['leads elsewhere', { path: '/dev/../etc/passwd' }, 'a path below /dev'],
  ])('is refused when it %s', async (_why, device, message) => {
    await expect(findDevices([{ device, access: { read: true } }])).rejects.toMatchObject({
      code: 'CONTAINER_INVALID',
      message: expect.stringContaining(message) as string,
    });
  });

  test('is refused when nothing may be done with it', async () => {
    const access = { read: false };
    await expect(findDevices([{ device: { path: '/dev/null' }, access }])).rejects.toThrow(
      'allow read, write or mknod',
    );
  });
});

test.each([
  [259n, 1, 3],
  [65_024n, 254, 0],
  [17_596_482_060_032n, 8191, 1_048_576],
])('%d is device %d:%d', (packed, major, minor) => {
  expect(numbersOf(packed)).toEqual({ major, minor });
});
