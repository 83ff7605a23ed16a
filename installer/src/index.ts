export type {
  HostConnection,
  RunOptions,
  RunResult,
  UploadOptions,
  UploadSource,
} from './hosts/connection.ts';
