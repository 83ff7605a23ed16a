/** The figures that the scheduling core works with. All durations in milliseconds. */

import { DEFAULT_MODEL_SETTINGS, type ModelSettings } from '../model/index.ts';

export interface SchedulingSettings {
  readonly model: ModelSettings;
  /** The role that the framework subscribes with, and that apps have unless they say otherwise. */
  readonly mesosRole: string;
  /** Which reserved resources an app takes that names no roles. */
  readonly acceptedResourceRolesDefault: 'any' | 'unreserved' | 'reserved';
  readonly envVarsPrefix: string;
  /** Launches on one offer at most; the rest of it comes back at once. */
  readonly instancesPerOfferMax: number;
  /** How long an agent is not offered again when nothing waits. */
  readonly declineMs: number;
  /** How long an offer that fits nothing is kept away while something waits. */
  readonly declineWhileWaitingMs: number;
  readonly reviveIntervalMsMin: number;
  readonly suppressOffers: boolean;
  readonly launchConfirmMsMax: number;
  readonly launchMsMax: number;
  readonly killRetryMs: number;
  readonly killsInFlightMax: number;
  /** Between taking an instance out of service in a rolling restart and its signal. */
  readonly drainMs: number;
  /** How long a new instance without checks has to run before a rolling restart counts on it. */
  readonly settleMs: number;
  readonly reconcileRetryMsMin: number;
  readonly reconcileRetryMsMax: number;
  readonly reconcileIntervalMs: number;
  readonly runningDeploymentsMax: number;
  readonly versionsPerAppMax: number;
  readonly appsMax: number | undefined;
  readonly maintenanceMode: boolean;
  readonly drainingMs: number;
  readonly gpuSchedulingBehavior: 'restricted' | 'unrestricted';
}

export const DEFAULT_SETTINGS: SchedulingSettings = {
  model: DEFAULT_MODEL_SETTINGS,
  mesosRole: '*',
  acceptedResourceRolesDefault: 'any',
  envVarsPrefix: '',
  instancesPerOfferMax: 1000,
  declineMs: 120_000,
  declineWhileWaitingMs: 5_000,
  reviveIntervalMsMin: 100,
  suppressOffers: true,
  launchConfirmMsMax: 300_000,
  launchMsMax: 300_000,
  killRetryMs: 30_000,
  killsInFlightMax: 100,
  drainMs: 1_000,
  settleMs: 1_000,
  reconcileRetryMsMin: 1_000,
  reconcileRetryMsMax: 30_000,
  reconcileIntervalMs: 600_000,
  runningDeploymentsMax: 100,
  versionsPerAppMax: 50,
  appsMax: undefined,
  maintenanceMode: true,
  drainingMs: 0,
  gpuSchedulingBehavior: 'restricted',
};
