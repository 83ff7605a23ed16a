/** The original's flags: each is accounted for, and shown as it shows them. */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { recordings, recordingsFacility } from '@dcos/testkit';
import { masterConfigSchema } from './config.ts';
import { ALIASES, FLAGS, shownFlags } from './flags.ts';

/** Every flag of the original, but for those that only tests of its own use. */
const ORIGINAL: readonly string[] = [
  'acls advertise_ip advertise_port agent_ping_timeout agent_removal_rate_limit',
  'agent_reregister_timeout allocation_interval allocator allocator_agent_recovery_factor',
  'allocator_recovery_timeout authenticate_agents authenticate_frameworks rate_limits',
  'authenticate_http_frameworks authenticate_http_readonly authenticate_http_readwrite authentication_v0_timeout authenticators authorizers cluster',
  'credentials domain fair_sharing_excluded_resource_names filter_gpu_resources firewall_rules',
  'framework_sorter hooks hostname hostname_lookup http_authenticators',
  'http_framework_authenticators ip ip_discovery_command log_auto_initialize log_dir logging_level',
  'master_contender master_detector max_agent_ping_timeouts max_completed_frameworks',
  'max_completed_tasks_per_framework max_operator_event_stream_subscribers',
  'max_unreachable_tasks_per_framework memory_profiling min_allocatable_resources modules',
  'modules_dir offer_constraints_re2_max_mem offer_constraints_re2_max_program_size offer_timeout',
  'port publish_per_framework_metrics quorum recovery_agent_removal_limit registry',
  'registry_fetch_timeout registry_gc_interval registry_max_agent_age registry_max_agent_count',
  'registry_store_timeout require_agent_domain role_sorter roles root_submissions webui_dir weights',
  'whitelist work_dir zk zk_session_timeout external_log_file help initialize_driver_logging',
  'logbufsecs quiet registry_strict version',
].flatMap((line) => line.split(' '));

const defaults = masterConfigSchema.parse({});

test('every flag of the original has its row', () => {
  expect(ORIGINAL.filter((name) => FLAGS[name] === undefined)).toEqual([]);
  expect(Object.values(ALIASES).filter((name) => FLAGS[name] === undefined)).toEqual([]);
});

test('the README says of every flag what becomes of it', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const [, section = ''] = readme.split('## Flags of the original');
  const [table = ''] = section.split('\n## ');
  const unnamed = Object.keys(FLAGS).filter((name) => !table.includes(`\`${name}\``));
  expect(unnamed).toEqual([]);
});

test('what is set is shown, in the form of the original', () => {
  const config = masterConfigSchema.parse({
    agentRemovalRateLimit: '1/10mins',
    offerTimeoutMs: 90_000,
    registryAgentAgeMaxMs: 3 * 24 * 3_600_000,
    roles: 'dev,ops',
    domain: { fault_domain: { region: { name: 'r' }, zone: { name: 'z' } } },
    rootSubmissions: false,
    offerConstraintsRegexLengthMax: 100,
  });
  expect(shownFlags(config, { work_dir: '/w' })).toMatchObject({
    agent_removal_rate_limit: '1/10mins',
    offer_timeout: '90secs',
    registry_max_agent_age: '3days',
    roles: 'dev,ops',
    domain: '{"fault_domain":{"region":{"name":"r"},"zone":{"name":"z"}}}',
    root_submissions: 'false',
    offer_constraints_re2_max_mem: '100B',
    work_dir: '/w',
  });
  const unset = shownFlags(masterConfigSchema.parse({ offerTimeoutMs: 0 }));
  for (const name of ['roles', 'offer_timeout', 'domain', 'work_dir'])
    expect(unset).not.toHaveProperty(name);
});

/** What differs from the recorded defaults, with its reason. */
const DIFFERENT: ReadonlyMap<string, string> = new Map([
  ['cluster', 'given when it was recorded'],
  ['hostname', 'given when it was recorded'],
  ['registry', 'given when it was recorded'],
  ['hostname_lookup', 'names are not looked up'],
  ['log_dir', 'said by the program, when it has one'],
  ['logging_level', 'said by the program'],
  ['work_dir', 'said by the program'],
  ['webui_dir', 'there is none'],
]);

describe(`recorded with the original${recordingsFacility.note}`, () => {
  test.skipIf(!recordingsFacility.available)('/flags has its keys and its defaults', () => {
    const recorded = recordings('snapshots/1-idle/master-v0').find(({ name }) => name === 'flags');
    const { flags } = JSON.parse(recorded?.answer ?? '{}') as {
      readonly flags: Readonly<Record<string, string>>;
    };
    expect(Object.keys(flags).length).toBeGreaterThan(50);
    const expected = Object.entries(flags).filter(([name]) => !DIFFERENT.has(name));
    const ours = shownFlags(defaults);
    expect(expected.map(([name]) => [name, ours[name]])).toEqual(expected);
  });
});
