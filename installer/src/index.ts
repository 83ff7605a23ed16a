export type {
  HostConnection,
  RunOptions,
  RunResult,
  UploadOptions,
  UploadSource,
} from './hosts/connection.ts';
export type {
  Infrastructure,
  Progress,
  ProvidedHost,
  Provider,
  ProviderChange,
} from './providers/provider.ts';
export type { Release } from './hosts/release.ts';
