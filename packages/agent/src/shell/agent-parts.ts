/** What an agent is put together from before its core exists. */

import type { ContainerRuntime, ImageStore } from '@dcos/containers';
import type { ClientTls, HttpServer } from '@dcos/http';
import type { AgentConfig } from '../config.ts';
import type { RuntimeName } from '../core/index.ts';
import type { DiskQuotas } from './disk-quotas.ts';
import type { ExecutorTokens } from './executor-tokens.ts';
import type { GpuPlaces } from './host-gpus.ts';
import type { LoadOfHost } from './oversubscription.ts';
import type { PatientJournal } from './patient-journal.ts';
import type { ContainerSecrets } from './secrets.ts';
import type { VerboseLogger } from './verbose-logger.ts';
import type { WorkDirectory } from './work-directory.ts';

/** The version of Mesos whose behaviour this agent shows to clients and to the master. */
export const MESOS_VERSION = '1.12.0';

export interface AgentParts {
  readonly config: AgentConfig;
  readonly directory: WorkDirectory;
  readonly logger: VerboseLogger;
  readonly runtimes: ReadonlyMap<RuntimeName, ContainerRuntime>;
  readonly images: ImageStore | undefined;
  readonly journal: PatientJournal;
  readonly server: HttpServer;
  /** For connections to masters. */
  readonly tls: ClientTls;
  readonly secrets: ContainerSecrets;
  /** Present when executors get tokens. */
  readonly tokens: ExecutorTokens | undefined;
  readonly load: LoadOfHost | undefined;
  readonly gpuPlaces: GpuPlaces;
  /** Present when the file system bounds the disk that containers use. */
  readonly quotas: DiskQuotas | undefined;
}
