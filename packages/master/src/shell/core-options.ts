/** Turns the settings of a master into the options of its core and of its allocator. */

import type { AllocatorOptions } from '@dcos/allocator';
import { defaultMasterOptions, type MasterOptions } from '../core/index.ts';
import type { MasterIdentity } from '../views/v0-state.ts';
import type { ResolvedMasterConfig } from './config.ts';
import {
  parseList,
  parseMinAllocatable,
  parsePercentage,
  parseRate,
  parseWeights,
} from './flag-values.ts';
import { BUILD, masterInfoOf } from './identity.ts';

/** Options of the core. The schema has seen to it that every text has its form. */
export function optionsOf(config: ResolvedMasterConfig, identity: MasterIdentity): MasterOptions {
  const { offerTimeoutMs: _default, ...defaults } = defaultMasterOptions;
  const rate = parseRate(config.agentRemovalRateLimit ?? '');
  return {
    ...defaults,
    masterInfo: masterInfoOf(identity),
    version: BUILD.version,
    pingIntervalMs: config.agentPingIntervalMs,
    pingsMissedMax: config.agentPingsMissedMax,
    agentReregisterTimeoutMs: config.agentReregisterTimeoutMs,
    recoveredFrameworkWaitMs: config.recoveredFrameworkWaitMs,
    allocationIntervalMs: config.allocationIntervalMs,
    allocatorRecoveryFactor: config.allocatorAgentRecoveryFactor,
    allocatorRecoveryTimeoutMs: config.allocatorRecoveryTimeoutMs,
    heartbeatIntervalMs: config.heartbeatIntervalMs,
    ...(config.offerTimeoutMs > 0 && { offerTimeoutMs: config.offerTimeoutMs }),
    declineLengthenedMaxMs: config.declineLengthenedMaxMs,
    completedFrameworksMax: config.completedFrameworksMax,
    completedTasksPerFrameworkMax: config.completedTasksPerFrameworkMax,
    unreachableTasksPerFrameworkMax: config.unreachableTasksPerFrameworkMax,
    ...(rate !== undefined && { agentRemovalRate: rate }),
    recoveryAgentRemovalLimit: parsePercentage(config.recoveryAgentRemovalLimit) ?? 1,
    removedAgentsMax: config.registryAgentsMax,
    removedAgentAgeMaxMs: config.registryAgentAgeMaxMs,
    registryGcIntervalMs: config.registryGcIntervalMs,
    requireAgentDomain: config.requireAgentDomain,
    rootSubmissions: config.rootSubmissions,
    ...(config.roles !== undefined && { roles: new Set(parseList(config.roles)) }),
    initialWeights: parseWeights(config.weights ?? '') ?? new Map(),
    constraintRegexLengthMax: config.offerConstraintsRegexLengthMax,
    constraintRegexProgramMax: config.offerConstraintsRegexProgramMax,
  };
}

/** Options of the allocator, but for the source of chance. */
export function allocatorOptionsOf(
  config: ResolvedMasterConfig,
  { domain }: MasterIdentity,
): Omit<AllocatorOptions, 'random'> {
  const region = domain?.fault_domain?.region.name;
  const minAllocatable = parseMinAllocatable(config.minAllocatableResources);
  return {
    allocationIntervalMs: config.allocationIntervalMs,
    roleSorter: config.roleSorter,
    frameworkSorter: config.frameworkSorter,
    filterGpuResources: config.filterGpuResources,
    fairSharingExcluded: parseList(config.fairSharingExcludedResourceNames ?? ''),
    ...(minAllocatable !== undefined && { minAllocatable }),
    ...(region !== undefined && { region }),
  };
}
