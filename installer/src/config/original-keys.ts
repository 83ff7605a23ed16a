/**
 * The keys of the original's `config.yaml`, and what becomes of each here. Keys that become something are in
 * `original.ts`; these are the others, by the reason why they have no effect.
 */

/** What the original's installer needed, and this one does not. */
const NOT_NEEDED: Readonly<Record<string, string>> = {
  bootstrap_url: 'no bootstrap host is needed: the release is pushed to each host',
  bootstrap_id: 'releases are named by their content',
  exhibitor_address: 'ZooKeeper has no Exhibitor before it',
  exhibitor_storage_backend: "ZooKeeper's servers are the masters",
  exhibitor_zk_hosts: "ZooKeeper's servers are the masters",
  exhibitor_zk_path: "ZooKeeper's servers are the masters",
  exhibitor_explicit_keys: "ZooKeeper's servers are the masters",
  s3_bucket: "ZooKeeper's servers are the masters",
  s3_prefix: "ZooKeeper's servers are the masters",
  aws_region: 'only the storage of Exhibitor used it',
  ip_detect_filename: 'hosts have the addresses of the lists',
  ip_detect_contents: 'hosts have the addresses of the lists',
  ip_detect_public_filename: 'hosts have the addresses of the lists',
  ip6_detect_filename: 'hosts have the addresses of the lists',
  process_timeout: 'each step has a limit of its own',
  extra_ssh_options: 'the settings of ssh are those of cluster.yaml',
  adminrouter_tls_1_0_enabled: 'TLS 1.2 and 1.3 are spoken, nothing older',
  adminrouter_tls_1_1_enabled: 'TLS 1.2 and 1.3 are spoken, nothing older',
  adminrouter_tls_1_2_enabled: 'TLS 1.2 and 1.3 are spoken',
  telemetry_enabled: 'nothing is sent to anybody',
  check_time: 'clocks are always compared, before anything is installed',
  num_masters: 'it is the length of the list of masters',
};

/** What the cluster cannot do yet, or the installer cannot set yet. */
const NOT_THERE_YET: Readonly<Record<string, string>> = {
  oauth_enabled: 'there is no log-in yet: whoever reaches the router may do everything',
  superuser_service_account_uid: 'there is no log-in yet',
  superuser_service_account_public_key: 'there is no log-in yet',
  auth_cookie_secure_flag: 'there is no log-in yet',
  use_proxy: 'proxies are not set on hosts yet',
  http_proxy: 'proxies are not set on hosts yet',
  https_proxy: 'proxies are not set on hosts yet',
  no_proxy: 'proxies are not set on hosts yet',
  fault_domain_detect_filename:
    "the agents' setting faultDomainScript is not set by the installer yet",
  fault_domain_enabled: "the agents' setting faultDomainScript is not set by the installer yet",
  custom_checks: 'checks of operators are not there yet',
  cluster_docker_credentials: "the agents' setting dockerConfig is not set by the installer yet",
  cluster_docker_credentials_enabled:
    "the agents' setting dockerConfig is not set by the installer yet",
  cluster_docker_credentials_dcos_owned:
    "the agents' setting dockerConfig is not set by the installer yet",
  cluster_docker_credentials_write_to_etc:
    "the agents' setting dockerConfig is not set by the installer yet",
  cluster_docker_registry_url: "the agents' setting dockerRegistry is not set by the installer yet",
  dns_search: 'resolv.conf of hosts is left alone',
  dns_forward_zones: 'zones with servers of their own are not there yet',
  dns_bind_ip_blacklist: 'Mesos-DNS listens at the address of its master only',
  master_dns_bindall: 'Mesos-DNS listens at the address of its master only',
  mesos_dns_ip_sources: 'addresses come from the agent, then from the container',
  adminrouter_x_frame_options: 'the router does not set it yet',
  adminrouter_grpc_proxy_port: 'there is no gRPC service yet',
  dcos_overlay_enable: 'there is no overlay network yet',
  dcos_overlay_network: 'there is no overlay network yet',
  dcos_overlay_mtu: 'there is no overlay network yet',
  dcos_overlay_config_attempts: 'there is no overlay network yet',
  dcos_l4lb_min_named_ip: 'there are no virtual addresses yet',
  dcos_l4lb_max_named_ip: 'there are no virtual addresses yet',
  dcos_l4lb_enable_ipv6: 'there are no virtual addresses yet',
  dcos_ucr_default_bridge_subnet: 'the installer sets up no networks of containers yet',
  enable_ipv6: 'hosts are reached by IPv4',
  rexray_config: 'external volumes are not there yet',
  rexray_config_preset: 'external volumes are not there yet',
  enable_gpu_isolation: 'the installer does not set it yet',
  gpus_are_scarce: 'the installer does not set it yet',
  marathon_gpu_scheduling_behavior: 'the installer does not set it yet',
  metronome_gpu_scheduling_behavior: 'jobs are not there yet',
  marathon_new_group_enforce_role: 'the installer does not set it yet',
  mesos_container_log_sink: 'logs of tasks are in their sandboxes',
  mesos_log_retention_mb: 'the installer does not set it yet',
  mesos_logrotate_file_size_mb: 'the installer does not set it yet',
  mesos_recovery_timeout: 'the installer does not set it yet',
  mesos_max_completed_frameworks: 'the installer does not set it yet',
  mesos_max_completed_tasks_per_framework: 'the installer does not set it yet',
  mesos_master_work_dir: 'state is in /var/lib/dcos',
  mesos_agent_work_dir: 'state is in /var/lib/dcos',
  docker_remove_delay: 'the installer does not set it yet',
  docker_stop_timeout: 'the installer does not set it yet',
  gc_delay: 'the installer does not set it yet',
  enable_docker_gc: 'the installer does not set it yet',
};

/** Secrets, whose values are shown nowhere. */
export const SECRET_KEYS: ReadonlySet<string> = new Set([
  'aws_access_key_id',
  'aws_secret_access_key',
  'cluster_docker_credentials',
]);

export type Fate = 'taken' | 'changed' | 'not needed' | 'not there yet' | 'refused' | 'unknown';

/** Why a key has no effect; undefined for one that nobody knows, or that becomes something. */
export function withoutEffect(
  key: string,
): { readonly fate: Fate; readonly why: string } | undefined {
  const unneeded = NOT_NEEDED[key];
  if (unneeded !== undefined) return { fate: 'not needed', why: unneeded };
  if (SECRET_KEYS.has(key) && NOT_THERE_YET[key] === undefined)
    return { fate: 'not needed', why: 'only the storage of Exhibitor used it' };
  const missing = NOT_THERE_YET[key];
  return missing === undefined ? undefined : { fate: 'not there yet', why: missing };
}

/** Keys with an entry in the tables above, for the nearest one to a misspelt one. */
export const KEYS_WITHOUT_EFFECT: readonly string[] = [
  ...Object.keys(NOT_NEEDED),
  ...Object.keys(NOT_THERE_YET),
];
