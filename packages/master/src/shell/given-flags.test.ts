import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '@dcos/testkit';
import { closeAfterTest } from '../testing/running-master.ts';
import { translateFlags } from './given-flags.ts';

const translate = (flags: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
  translateFlags({ flags, environment });

test.each([
  ['a duration', ['--agent_ping_timeout=20secs'], ['--agent-ping-interval-ms=20000']],
  ['its value behind it', ['--offer_timeout', '1mins'], ['--offer-timeout-ms=60000']],
  ['dashes', ['--allocation-interval=500ms'], ['--allocation-interval-ms=500']],
  ['an old spelling', ['--slave_ping_timeout=20secs'], ['--agent-ping-interval-ms=20000']],
  ['a count', ['--max_completed_frameworks=0'], ['--completed-frameworks-max=0']],
  [
    'a size',
    ['--offer_constraints_re2_max_mem=8KB'],
    ['--offer-constraints-regex-length-max=8192'],
  ],
  ['a switch', ['--require_agent_domain'], ['--require-agent-domain=true']],
  ['a switch that is off', ['--no-root_submissions'], ['--root-submissions=false']],
  ['a folder', ['--work_dir=/var/lib/mesos'], ['--data-dir=/var/lib/mesos']],
  [
    'a folder of logs',
    ['--log_dir=/var/log/mesos/'],
    ['--log-file=/var/log/mesos/mesos-master.log'],
  ],
  ['a level', ['--logging_level=WARNING'], ['--log-level=warn']],
  ['one of the same name', ['--role_sorter=random'], ['--role-sorter=random']],
  [
    'ours',
    ['--agent-ping-interval-ms=1', '--print-config'],
    ['--agent-ping-interval-ms=1', '--print-config'],
  ],
  ['what nobody knows', ['--nope=1', 'stray'], ['--nope=1', 'stray']],
])('%s', (_name, given, translated) => {
  expect(translate(given)).toEqual({ flags: translated, environment: {}, notes: [] });
});

test('variables are the flags in capitals; a variable of ours stays', () => {
  const { flags, environment } = translate(['--port=1'], {
    MESOS_AGENT_PING_TIMEOUT: '20secs',
    MESOS_MAX_SLAVE_PING_TIMEOUTS: '3',
    MESOS_HEARTBEAT_INTERVAL_MS: '7',
    MESOS_SANDBOX: '/s',
    PATH: '/bin',
  });
  expect(flags).toEqual(['--port=1']);
  expect(environment).toEqual({
    MESOS_AGENT_PING_INTERVAL_MS: '20000',
    MESOS_AGENT_PINGS_MISSED_MAX: '3',
    MESOS_HEARTBEAT_INTERVAL_MS: '7',
    MESOS_SANDBOX: '/s',
    PATH: '/bin',
  });
});

test('a flag without effect is taken, with a line that says why', () => {
  const { flags, environment, notes } = translate(['--quorum=2', '--allocator=hierarchical'], {
    MESOS_WEBUI_DIR: '/ui',
  });
  expect([flags, environment]).toEqual([[], {}]);
  expect(notes).toEqual([
    '--quorum=2 has no effect: the registry is in a store of its own, not in a replicated log',
    '--allocator=hierarchical has no effect: there is one allocator',
    '--webui_dir=/ui has no effect: the web console is a program of its own',
  ]);
});

test.each([
  [['--modules=file:///m.json'], '--modules is not supported: there are no modules'],
  [['--allocator=com_example'], '--allocator=com_example is not supported: there is one allocator'],
  [['--memory_profiling'], '--memory_profiling=true is not supported'],
  [
    ['--agent_ping_timeout=16mins'],
    "Invalid value '16mins' for --agent_ping_timeout: Must be between 1secs and 15mins",
  ],
  [
    ['--agent_reregister_timeout=9mins'],
    "Invalid value '9mins' for --agent_reregister_timeout: Must be at least 10mins",
  ],
  [['--offer_timeout=5'], "Failed to load flag 'offer_timeout': Failed to load value '5'"],
  [['--logging_level=LOUD'], "'LOUD' is none of INFO, WARNING, ERROR"],
  [['--offer_constraints_re2_max_mem=4'], "'4' is no size such as '4KB'"],
])('%j is refused', (flags, message) => {
  expect(() => translate(flags)).toThrow(message);
});

test('an address and a command that prints one exclude each other', () => {
  const command = '--ip_discovery_command=hostname -i';
  const variable = { MESOS_IP: '127.0.0.1' };
  expect(translate([command]).flags).toEqual(['--ip-discovery-command=hostname -i']);
  expect(() => translate([command], variable)).toThrow('Only one of `--ip`');
});

test('a variable is refused as the flag is', () => {
  expect(() => translate([], { MESOS_HOOKS: 'h' })).toThrow('--hooks is not supported');
});

test('any value may be in a file; those that name files are left to their readers', () => {
  const directory = temporaryDirectory('flags');
  closeAfterTest({ close: () => directory.remove() });
  const path = join(directory.path, 'value');
  writeFileSync(path, '20secs\n');
  expect(translate([`--agent_ping_timeout=file://${path}`]).flags).toEqual([
    '--agent-ping-interval-ms=20000',
  ]);
  expect(translate([`--whitelist=file://${path}`]).flags).toEqual([`--whitelist=file://${path}`]);
  expect(() => translate(['--roles=file:///nowhere'])).toThrow('file:///nowhere cannot be read');
});
