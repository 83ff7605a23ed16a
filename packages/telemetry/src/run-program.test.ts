import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readSettings, type ConfigSchema } from './run-program.ts';

const schema: ConfigSchema<{ readonly port: number }> = {
  shape: { port: {} },
  safeParse(values) {
    const { port = 5050 } = values as { readonly port?: unknown };
    return typeof port === 'number'
      ? { success: true, data: { port } }
      : { success: false, error: { issues: [{ path: ['port'], message: 'must be a number' }] } };
  },
};
const program = { schema, environmentPrefix: 'X_' };

test('a file named by flag or environment lies below the environment and the flags', () => {
  const folder = mkdtempSync(join(tmpdir(), 'settings-'));
  const file = join(folder, 'settings.json');
  writeFileSync(file, '{"port": 1}');
  expect(readSettings(program, [`--config-file=${file}`], {}).config.port).toBe(1);
  expect(readSettings(program, [], { X_CONFIG_FILE: file }).config.port).toBe(1);
  expect(readSettings(program, [], { X_CONFIG_FILE: file, X_PORT: '2' }).config.port).toBe(2);
  expect(readSettings(program, ['--port=3'], { X_PORT: '2' }).config.port).toBe(3);
  rmSync(folder, { recursive: true });
});

test.each([
  [['--port=x'], 'port: must be a number'],
  [['--nope'], "unknown flag '--nope'"],
  [['--config-file=/nowhere.json'], 'the configuration file /nowhere.json cannot be read'],
])('%j is refused', (flags, message) => {
  expect(() => readSettings(program, flags, {})).toThrow(message);
});

test('flags and variables of another spelling are said in the words of the schema', () => {
  const settings = readSettings(
    {
      ...program,
      translate: ({ flags, environment }) => ({
        flags: flags.map((flag) => flag.replace('--listen_on=', '--port=')),
        environment: { ...environment, X_PORT: environment['X_LISTEN_ON'] },
        notes: ['--colour has no effect'],
      }),
    },
    ['--listen_on=7'],
    { X_LISTEN_ON: '8' },
  );
  expect(settings).toMatchObject({
    config: { port: 7 },
    raw: { origins: { port: 'flag' } },
    notes: ['--colour has no effect'],
  });
});
