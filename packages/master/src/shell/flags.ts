/**
 * The original's flags, one row each: what sets them here, or why they have no effect, or why they are
 * refused. Rows also say how `/flags` shows what is in force, in the original's form.
 *
 * Invariant: nothing is silently taken. A flag whose value would change something that this master does not do
 * is refused at the start; one without effect is accepted, named by `--print-config` and in the log.
 */

import {
  bytesText,
  durationText,
  err,
  ok,
  parseBytes,
  parseDurationMs,
  type Result,
} from '@dcos/base';
import type { OriginalFlag } from '@dcos/telemetry';
import type { ResolvedMasterConfig } from './config.ts';

/** Settings of the program around the master. */
export type ProcessKey =
  | 'dataDir'
  | 'ipDiscoveryCommand'
  | 'logLevel'
  | 'logFile'
  | 'zk'
  | 'zkSessionTimeoutMs';

export type Flag =
  | {
      readonly kind: 'setting';
      /** Ours that it sets. */
      readonly key: keyof ResolvedMasterConfig | ProcessKey;
      /** Its value as ours is written; as it stands when absent. */
      readonly read?: (text: string) => Result<string, string>;
      /** What is in force; undefined when nothing is set. Absent where the program says it. */
      readonly show?: (config: ResolvedMasterConfig) => string | undefined;
    }
  | Exclude<OriginalFlag, { readonly kind: 'setting' }>;

/** A flag of the same name and form. */
function plain(key: keyof ResolvedMasterConfig): Flag {
  return {
    kind: 'setting',
    key,
    show(config) {
      const value = config[key];
      return value === undefined ? undefined : String(value);
    },
  };
}

type DurationKey = {
  [Key in keyof ResolvedMasterConfig]-?: Key extends `${string}Ms` ? Key : never;
}[keyof ResolvedMasterConfig];

/** A duration such as `15secs`, within limits. */
function duration(flag: string, key: DurationKey, limits: DurationLimits = {}): Flag {
  return {
    kind: 'setting',
    key,
    read: readDuration(flag, limits),
    // 0 switches off what the original does not do without the flag.
    show: (config) => (config[key] === 0 ? undefined : durationText(config[key])),
  };
}

interface DurationLimits {
  readonly min?: string;
  readonly max?: string;
}

function readDuration(
  flag: string,
  { min = '1ms', max }: DurationLimits,
): (text: string) => Result<string, string> {
  const minMs = parseDurationMs(min) ?? 0;
  const maxMs = max === undefined ? Number.MAX_SAFE_INTEGER : (parseDurationMs(max) ?? 0);
  const must = max === undefined ? `at least ${min}` : `between ${min} and ${max}`;
  return (text) => {
    const milliseconds = parseDurationMs(text);
    if (milliseconds === undefined) return err(`'${text}' is no duration such as '15secs'`);
    return milliseconds < minMs || milliseconds > maxMs
      ? err(`Invalid value '${text}' for --${flag}: Must be ${must}`)
      : ok(String(Math.ceil(milliseconds)));
  };
}

const NO_DRIVERS = 'schedulers and agents of the old message protocol are not spoken to';
const NO_MODULES = 'there are no modules';
const OWN_STORE = 'the registry is in a store of its own, not in a replicated log';

/** By the original's name. Flags of access control are named here too; their values are ours. */
export const FLAGS: Readonly<Record<string, Flag>> = {
  acls: plain('acls'),
  advertise_ip: plain('advertiseIp'),
  advertise_port: plain('advertisePort'),
  agent_ping_timeout: duration('agent_ping_timeout', 'agentPingIntervalMs', {
    min: '1secs',
    max: '15mins',
  }),
  agent_removal_rate_limit: plain('agentRemovalRateLimit'),
  agent_reregister_timeout: duration('agent_reregister_timeout', 'agentReregisterTimeoutMs', {
    min: '10mins',
  }),
  allocation_interval: duration('allocation_interval', 'allocationIntervalMs'),
  allocator: {
    kind: 'without-effect',
    reason: 'there is one allocator',
    value: 'hierarchical',
    only: ['hierarchical', 'HierarchicalDRF'],
  },
  allocator_agent_recovery_factor: plain('allocatorAgentRecoveryFactor'),
  allocator_recovery_timeout: duration('allocator_recovery_timeout', 'allocatorRecoveryTimeoutMs'),
  authenticate_agents: plain('authenticateAgents'),
  authenticate_frameworks: {
    kind: 'without-effect',
    reason: `${NO_DRIVERS}; --authenticate_http_frameworks is for all others`,
    value: 'false',
  },
  authenticate_http_frameworks: plain('authenticateHttpFrameworks'),
  authenticate_http_readonly: plain('authenticateHttpReadonly'),
  authenticate_http_readwrite: plain('authenticateHttpReadwrite'),
  authentication_v0_timeout: { kind: 'without-effect', reason: NO_DRIVERS, value: '15secs' },
  authenticators: {
    kind: 'without-effect',
    reason: NO_DRIVERS,
    value: 'crammd5',
    only: ['crammd5'],
  },
  authorizers: {
    kind: 'without-effect',
    reason: 'there is one authorizer, that of --acls',
    value: 'local',
    only: ['local'],
  },
  cluster: plain('cluster'),
  credentials: plain('credentials'),
  domain: plain('domain'),
  external_log_file: { kind: 'without-effect', reason: '--log_dir says where the log is' },
  fair_sharing_excluded_resource_names: plain('fairSharingExcludedResourceNames'),
  filter_gpu_resources: plain('filterGpuResources'),
  firewall_rules: plain('firewallRules'),
  framework_sorter: plain('frameworkSorter'),
  help: {
    kind: 'without-effect',
    reason: '--print-config shows all settings',
    value: 'false',
    only: ['false'],
  },
  hooks: { kind: 'refused', reason: NO_MODULES },
  hostname: {
    kind: 'setting',
    key: 'hostname',
    show: ({ hostname, advertiseIp, ip }) => hostname ?? advertiseIp ?? ip,
  },
  hostname_lookup: {
    kind: 'without-effect',
    reason: 'names are not looked up; --hostname says it, or the address stands for it',
    value: 'false',
  },
  http_authenticators: {
    kind: 'without-effect',
    reason: 'the ways to log in are fixed',
    value: 'basic',
    only: ['basic'],
  },
  http_framework_authenticators: {
    kind: 'without-effect',
    reason: 'the ways to log in are fixed',
    only: ['basic'],
  },
  initialize_driver_logging: { kind: 'without-effect', reason: NO_DRIVERS, value: 'true' },
  ip: plain('ip'),
  ip_discovery_command: { kind: 'setting', key: 'ipDiscoveryCommand' },
  log_auto_initialize: { kind: 'without-effect', reason: OWN_STORE, value: 'true' },
  log_dir: {
    kind: 'setting',
    key: 'logFile',
    read: (text) => ok(`${text.replace(/\/+$/, '')}/mesos-master.log`),
  },
  logbufsecs: {
    kind: 'without-effect',
    reason: 'lines of the log are written at once',
    value: '0',
  },
  logging_level: {
    kind: 'setting',
    key: 'logLevel',
    read(text) {
      const level = { INFO: 'info', WARNING: 'warn', ERROR: 'error' }[text];
      return level === undefined ? err(`'${text}' is none of INFO, WARNING, ERROR`) : ok(level);
    },
  },
  master_contender: { kind: 'refused', reason: NO_MODULES },
  master_detector: { kind: 'refused', reason: NO_MODULES },
  max_agent_ping_timeouts: plain('agentPingsMissedMax'),
  max_completed_frameworks: plain('completedFrameworksMax'),
  max_completed_tasks_per_framework: plain('completedTasksPerFrameworkMax'),
  max_operator_event_stream_subscribers: plain('operatorSubscribersMax'),
  max_unreachable_tasks_per_framework: plain('unreachableTasksPerFrameworkMax'),
  memory_profiling: {
    kind: 'without-effect',
    reason: 'there is no profiler in the process',
    value: 'false',
    only: ['false'],
  },
  min_allocatable_resources: plain('minAllocatableResources'),
  modules: { kind: 'refused', reason: NO_MODULES },
  modules_dir: { kind: 'refused', reason: NO_MODULES },
  offer_constraints_re2_max_mem: {
    kind: 'setting',
    key: 'offerConstraintsRegexLengthMax',
    read(text) {
      const bytes = parseBytes(text);
      return bytes === undefined ? err(`'${text}' is no size such as '4KB'`) : ok(String(bytes));
    },
    show: ({ offerConstraintsRegexLengthMax: bytes }) => bytesText(bytes),
  },
  offer_constraints_re2_max_program_size: plain('offerConstraintsRegexProgramMax'),
  offer_timeout: duration('offer_timeout', 'offerTimeoutMs'),
  port: plain('port'),
  publish_per_framework_metrics: plain('publishPerFrameworkMetrics'),
  quiet: { kind: 'without-effect', reason: 'the log goes to one place', value: 'false' },
  quorum: { kind: 'without-effect', reason: OWN_STORE },
  rate_limits: plain('rateLimits'),
  recovery_agent_removal_limit: plain('recoveryAgentRemovalLimit'),
  registry: plain('registry'),
  registry_fetch_timeout: duration('registry_fetch_timeout', 'registryFetchTimeoutMs'),
  registry_gc_interval: duration('registry_gc_interval', 'registryGcIntervalMs'),
  registry_max_agent_age: duration('registry_max_agent_age', 'registryAgentAgeMaxMs'),
  registry_max_agent_count: plain('registryAgentsMax'),
  registry_store_timeout: duration('registry_store_timeout', 'registryStoreTimeoutMs'),
  registry_strict: {
    kind: 'without-effect',
    reason: 'the original ignores it too',
    value: 'false',
    only: ['false'],
  },
  require_agent_domain: plain('requireAgentDomain'),
  role_sorter: plain('roleSorter'),
  roles: plain('roles'),
  root_submissions: plain('rootSubmissions'),
  version: {
    kind: 'without-effect',
    reason: '/version says it',
    value: 'false',
    only: ['false'],
  },
  webui_dir: { kind: 'without-effect', reason: 'the web console is a program of its own' },
  weights: plain('weights'),
  whitelist: plain('whitelist'),
  work_dir: { kind: 'setting', key: 'dataDir' },
  zk: { kind: 'setting', key: 'zk' },
  zk_session_timeout: {
    kind: 'setting',
    key: 'zkSessionTimeoutMs',
    read: readDuration('zk_session_timeout', { min: '1secs', max: '1hrs' }),
    // Unless the program says otherwise.
    show: () => '10secs',
  },
};

/** Spellings from before agents were called so. */
export const ALIASES: Readonly<Record<string, string>> = {
  authenticate: 'authenticate_frameworks',
  authenticate_slaves: 'authenticate_agents',
  slave_ping_timeout: 'agent_ping_timeout',
  slave_removal_rate_limit: 'agent_removal_rate_limit',
  slave_reregister_timeout: 'agent_reregister_timeout',
  max_slave_ping_timeouts: 'max_agent_ping_timeouts',
  recovery_slave_removal_limit: 'recovery_agent_removal_limit',
};

/**
 * What is in force, as `/flags` shows it: in the order of names, those that are not set left out.
 * @param given What the program was given beyond the master's own settings, by the original's names.
 */
export function shownFlags(
  config: ResolvedMasterConfig,
  given: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const shown: Record<string, string> = {};
  for (const [name, flag] of Object.entries(FLAGS)) {
    const value =
      given[name] ??
      (flag.kind === 'setting'
        ? flag.show?.(config)
        : flag.kind === 'without-effect'
          ? flag.value
          : undefined);
    if (value !== undefined) shown[name] = value;
  }
  return shown;
}
