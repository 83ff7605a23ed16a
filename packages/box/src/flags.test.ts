import { expect, test } from 'vitest';
import { parseFlags } from './flags.ts';

test('without flags the documented defaults hold', () => {
  expect(parseFlags([], '/data')).toEqual({
    ok: true,
    value: {
      port: 8180,
      dataDirectory: '/data',
      agents: 2,
      publicAgents: 1,
      masterPort: 0,
      marathonPort: 0,
      dnsPort: 0,
      fresh: false,
      json: false,
      help: false,
    },
  });
});

test.each([
  [['--port', '70000'], "--port takes a whole number from 0 to 65535, not '70000'"],
  [['--port=x'], "--port takes a whole number from 0 to 65535, not 'x'"],
  [['--agents', '51'], "--agents takes a whole number from 0 to 50, not '51'"],
  [['--agents=0', '--public-agents=0'], '--agents and --public-agents must not both be 0'],
  [['--data-dir='], '--data-dir takes the path of a folder'],
  [['--nope'], "Unknown option '--nope'"],
  [['stray'], "Unexpected argument 'stray'"],
])('%j is refused', (args, message) => {
  const parsed = parseFlags(args, '/data');
  expect(parsed.ok ? '' : parsed.error).toContain(message);
});
