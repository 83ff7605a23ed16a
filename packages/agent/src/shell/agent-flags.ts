/**
 * The settings as `/flags` and `/state` show them: under their names on the original's command line where there is
 * one, in the original's notation.
 */

import { durationText } from '@dcos/base';
import { shownMasters } from '@dcos/store';
import { projectRangesText, type AgentConfig } from '../config.ts';

/** What the runtime `oci` does, in the original's names. */
const OCI_ISOLATION =
  'cgroups/cpu,cgroups/mem,cgroups/pids,cgroups/devices,cgroups/blkio,disk/du,filesystem/linux,network/cni,volume/host_path,volume/sandbox_path,linux/capabilities,linux/devices,linux/seccomp,linux/nnp,namespaces/ipc,namespaces/pid,posix/rlimits';

/** The settings under their names on the original's command line where there is one. */
export function flagsOf(config: AgentConfig): Readonly<Record<string, string>> {
  return {
    attributes: config.attributes,
    cgroups_enable_cfs: String(config.cgroupsEnableCfs),
    cgroups_limit_swap: String(config.cgroupsLimitSwap),
    ...(config.allowedDevices !== undefined && {
      allowed_devices:
        typeof config.allowedDevices === 'string'
          ? config.allowedDevices
          : JSON.stringify(config.allowedDevices),
    }),
    container_disk_watch_interval: durationText(config.containerDiskWatchIntervalMs),
    containerizers: [
      ...new Set(config.runtimes.replaceAll(/process|oci/g, 'mesos').split(',')),
    ].join(','),
    authenticate_http_executors: String(config.authenticateHttpExecutors),
    default_role: config.defaultRole,
    ...(config.jwtSecretKey !== undefined && { jwt_secret_key: config.jwtSecretKey }),
    ...(config.defaultContainerDns !== undefined && {
      default_container_dns:
        typeof config.defaultContainerDns === 'string'
          ? config.defaultContainerDns
          : JSON.stringify(config.defaultContainerDns),
    }),
    docker_socket: config.dockerSocket,
    ...(config.dockerRegistry !== undefined && { docker_registry: config.dockerRegistry }),
    ...(config.dockerStoreDir !== undefined && { docker_store_dir: config.dockerStoreDir }),
    enforce_container_disk_quota: String(config.enforceContainerDiskQuota),
    executor_registration_timeout: durationText(config.executorRegistrationMs),
    executor_reregistration_timeout: durationText(config.executorReregistrationMs),
    executor_shutdown_grace_period: durationText(config.executorShutdownGraceMs),
    ...(config.domain !== undefined && {
      domain: typeof config.domain === 'string' ? config.domain : JSON.stringify(config.domain),
    }),
    ...(config.faultDomainScript !== undefined && {
      fault_domain_script: config.faultDomainScript,
    }),
    fetcher_cache_size: `${config.fetcherCacheBytesMax}B`,
    fetcher_stall_timeout: durationText(config.fetcherStallTimeoutMs),
    ...(config.fetcherCacheDir !== undefined && { fetcher_cache_dir: config.fetcherCacheDir }),
    ...(config.frameworksHome !== undefined && { frameworks_home: config.frameworksHome }),
    gc_delay: `${config.gcDelayMs / 1000}secs`,
    gc_disk_headroom: String(config.gcDiskHeadroom),
    hostname: config.hostname ?? config.ip,
    ip: config.ip,
    ...(config.networkCniConfigDir !== undefined && {
      network_cni_config_dir: config.networkCniConfigDir,
    }),
    ...(config.nvidiaGpuDevices !== undefined && {
      nvidia_gpu_devices: config.nvidiaGpuDevices,
    }),
    network_cni_plugins_dir: config.networkCniPluginsDir,
    ...(config.runtimes.includes('oci')
      ? {
          isolation: isolationOf(
            config,
            config.gpuIsolation ? `${OCI_ISOLATION},gpu/nvidia` : OCI_ISOLATION,
          ),
          launcher: 'linux',
        }
      : { isolation: isolationOf(config, 'posix/cpu,posix/mem,disk/du'), launcher: 'posix' }),
    master: shownMasters(config.masters).join(','),
    oversubscribed_resources_interval: durationText(config.oversubscribedResourcesIntervalMs),
    port: String(config.port),
    ...(config.qosController !== 'none' && {
      qos_controller: config.qosController,
      qos_correction_interval_min: durationText(config.qosCorrectionIntervalMs),
    }),
    ...(config.resourceEstimator !== 'none' && { resource_estimator: config.resourceEstimator }),
    revocable_cpu_low_priority: String(config.revocableCpuLowPriority),
    reconfiguration_policy: config.reconfigurationPolicy,
    registration_backoff_factor: `${config.registrationBackoffMs}ms`,
    resources: config.resources,
    work_dir: config.workDir,
    xfs_kill_containers: String(config.xfsKillContainers),
    xfs_project_range: projectRangesText(config.xfsProjectRange),
  };
}

/** The file system's quotas stand in for looking. */
function isolationOf({ diskQuota }: AgentConfig, isolation: string): string {
  return diskQuota === 'xfs' ? isolation.replace('disk/du', 'disk/xfs') : isolation;
}
