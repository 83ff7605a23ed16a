import { expect, test } from 'vitest';
import { defaultMasterOptions, type MasterOptions } from '../core/index.ts';
import { masterConfigSchema, type MasterConfig } from './config.ts';
import { allocatorOptionsOf, optionsOf } from './core-options.ts';
import { BUILD } from './identity.ts';

const identity = {
  id: 'm',
  ip: '127.0.0.1',
  port: 5050,
  hostname: 'localhost',
  cluster: 'c',
  startTime: 0,
  electedTime: 0,
  build: BUILD,
  capabilities: [],
  flags: {},
};

test('without settings the core has its defaults', () => {
  const options = optionsOf(masterConfigSchema.parse({}), identity);
  expect(options).toMatchObject(defaultMasterOptions);
  expect(options.roles).toBeUndefined();
  expect(options.agentRemovalRate).toBeUndefined();
});

test.each<[MasterConfig, Partial<MasterOptions>]>([
  [{ offerTimeoutMs: 7 }, { offerTimeoutMs: 7 }],
  [
    { agentPingIntervalMs: 7, agentPingsMissedMax: 8 },
    { pingIntervalMs: 7, pingsMissedMax: 8 },
  ],
  [{ agentReregisterTimeoutMs: 7 }, { agentReregisterTimeoutMs: 7 }],
  [{ recoveredFrameworkWaitMs: 7 }, { recoveredFrameworkWaitMs: 7 }],
  [{ allocatorAgentRecoveryFactor: 0.5 }, { allocatorRecoveryFactor: 0.5 }],
  [{ allocatorRecoveryTimeoutMs: 7 }, { allocatorRecoveryTimeoutMs: 7 }],
  [{ completedFrameworksMax: 0 }, { completedFrameworksMax: 0 }],
  [{ completedTasksPerFrameworkMax: 7 }, { completedTasksPerFrameworkMax: 7 }],
  [{ unreachableTasksPerFrameworkMax: 7 }, { unreachableTasksPerFrameworkMax: 7 }],
  [{ agentRemovalRateLimit: '2/1secs' }, { agentRemovalRate: { agents: 2, perMs: 1_000 } }],
  [{ recoveryAgentRemovalLimit: '25%' }, { recoveryAgentRemovalLimit: 0.25 }],
  [{ registryAgentsMax: 7 }, { removedAgentsMax: 7 }],
  [{ registryAgentAgeMaxMs: 7 }, { removedAgentAgeMaxMs: 7 }],
  [{ registryGcIntervalMs: 7 }, { registryGcIntervalMs: 7 }],
  [{ requireAgentDomain: true }, { requireAgentDomain: true }],
  [{ rootSubmissions: false }, { rootSubmissions: false }],
  [{ roles: 'a, b' }, { roles: new Set(['a', 'b']) }],
  [{ roles: 7 }, { roles: new Set(['7']) }],
  [{ weights: 'a=2' }, { initialWeights: new Map([['a', 2]]) }],
  [{ offerConstraintsRegexLengthMax: 7 }, { constraintRegexLengthMax: 7 }],
  [{ offerConstraintsRegexProgramMax: 7 }, { constraintRegexProgramMax: 7 }],
])('%j', (config, options) => {
  expect(optionsOf(masterConfigSchema.parse(config), identity)).toMatchObject(options);
});

test('0 as the time-out of offers means that they stay', () => {
  const options = optionsOf(masterConfigSchema.parse({ offerTimeoutMs: 0 }), identity);
  expect(options).not.toHaveProperty('offerTimeoutMs');
});

test('the allocator gets its part', () => {
  const config = masterConfigSchema.parse({
    allocationIntervalMs: 7,
    roleSorter: 'random',
    frameworkSorter: 'random',
    filterGpuResources: false,
    fairSharingExcludedResourceNames: 'gpus,disk',
    minAllocatableResources: 'cpus:1',
  });
  const domain = { fault_domain: { region: { name: 'r' }, zone: { name: 'z' } } };
  expect(allocatorOptionsOf(config, { ...identity, domain })).toEqual({
    allocationIntervalMs: 7,
    roleSorter: 'random',
    frameworkSorter: 'random',
    filterGpuResources: false,
    fairSharingExcluded: ['gpus', 'disk'],
    minAllocatable: [new Map([['cpus', 1_000]])],
    region: 'r',
  });
  expect(allocatorOptionsOf(masterConfigSchema.parse({}), identity)).not.toHaveProperty('region');
});

test.each<MasterConfig>([
  { agentRemovalRateLimit: '1' },
  { recoveryAgentRemovalLimit: '120%' },
  { minAllocatableResources: 'cpus' },
  { weights: 'a' },
  { advertiseIp: 'name' },
  { allocatorAgentRecoveryFactor: 2 },
  { registryStoreTimeoutMs: 2 ** 31 },
])('%j is refused', (config) => {
  expect(masterConfigSchema.safeParse(config).success).toBe(false);
});
