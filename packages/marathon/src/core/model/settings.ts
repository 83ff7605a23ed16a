/** What the operator decided and the app model depends on. */

export type Feature =
  | 'vips'
  | 'task_killing'
  | 'external_volumes'
  | 'secrets'
  | 'gpu_resources'
  | 'maintenance_mode';

export interface ModelSettings {
  /** Role of apps that name none and are not in a group that enforces its own. */
  readonly mesosRole: string;
  /** Range of service ports, both ends included. */
  readonly localPortMin: number;
  readonly localPortMax: number;
  readonly features: ReadonlySet<Feature>;
  /** Name of the network of container mode when a request gives none. */
  readonly defaultNetworkName?: string;
  /** A legacy `ipAddress` on the network of this name means bridge mode. */
  readonly mesosBridgeName: string;
  /** Whether new top-level groups enforce their role. */
  readonly newGroupEnforceRole: boolean;
}

export const DEFAULT_MODEL_SETTINGS: ModelSettings = {
  mesosRole: '*',
  localPortMin: 10_000,
  localPortMax: 20_000,
  features: new Set(),
  mesosBridgeName: 'mesos-bridge',
  newGroupEnforceRole: false,
};
