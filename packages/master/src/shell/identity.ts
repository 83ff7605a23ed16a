/**
 * What this build calls itself, and the flags that it shows in the original's spelling.
 */

import { durationText } from '@dcos/base';
import type { BuildInfo } from '../views/v0-state.ts';
import type { ResolvedMasterConfig } from './config.ts';

/** The version of the original whose interfaces are spoken: clients compare it to know what they may use. */
export const BUILD: BuildInfo = {
  version: '1.12.0',
  build_date: '2026-11-20 00:00:00 UTC',
  build_time: 1_795_132_800,
  build_user: 'dcos',
};

/** The flags as `/flags` and `/state` show them; names and units are the original's. */
export function flagsOf(
  config: ResolvedMasterConfig,
  port: number,
): Readonly<Record<string, string>> {
  return {
    agent_ping_timeout: durationText(config.agentPingIntervalMs),
    agent_reregister_timeout: durationText(config.agentReregisterTimeoutMs),
    allocation_interval: durationText(config.allocationIntervalMs),
    allocator: 'hierarchical',
    authenticate_agents: 'false',
    authenticate_frameworks: 'false',
    authenticate_http_frameworks: String(config.authenticateHttpFrameworks),
    authenticate_http_readonly: String(config.authenticateHttpReadonly),
    authenticate_http_readwrite: String(config.authenticateHttpReadwrite),
    ...(config.acls !== undefined && { acls: config.acls }),
    ...(config.credentials !== undefined && { credentials: config.credentials }),
    cluster: config.cluster,
    ...(config.firewallRules !== undefined && { firewall_rules: config.firewallRules }),
    filter_gpu_resources: String(config.filterGpuResources),
    framework_sorter: 'drf',
    hostname: config.hostname ?? config.ip,
    ip: config.ip,
    max_agent_ping_timeouts: String(config.agentPingsMissedMax),
    max_completed_frameworks: '50',
    max_completed_tasks_per_framework: '1000',
    max_operator_event_stream_subscribers: String(config.operatorSubscribersMax),
    max_unreachable_tasks_per_framework: '1000',
    min_allocatable_resources: 'cpus:0.01|mem:32',
    ...(config.offerTimeoutMs > 0 && { offer_timeout: durationText(config.offerTimeoutMs) }),
    port: String(port),
    role_sorter: config.roleSorter,
    root_submissions: 'true',
  };
}
