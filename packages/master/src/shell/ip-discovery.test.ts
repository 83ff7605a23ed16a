import { expect, test } from 'vitest';
import { discoverIp } from './ip-discovery.ts';

test('the address is what the command prints', async () => {
  expect(await discoverIp("printf ' 127.0.0.1\\n'")).toBe('127.0.0.1');
});

test.each([
  ['exit 3', 'exit 3'],
  ['echo host', "it printed 'host', which is no IPv4 address"],
  ['true', "it printed ''"],
  ['head -c 10000 /dev/zero', 'maxBuffer'],
])('%s fails', async (command, why) => {
  await expect(discoverIp(command)).rejects.toMatchObject({
    code: 'IP_DISCOVERY_FAILED',
    message: expect.stringContaining(why) as string,
  });
});
