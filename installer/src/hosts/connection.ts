/**
 * A host as the installer reaches it: programs by argument vector, files with their checksum. Every provider brings one
 * implementation; nothing else of the host path knows how hosts are reached.
 *
 * A program that ends with another code than 0 is a result, not an error. `HOST_UNREACHABLE` is thrown when the host or
 * the way to it failed, so that nobody knows whether the program ran; `HOST_TIMEOUT` when it took too long.
 */

import type { Readable } from 'node:stream';

export interface RunOptions {
  /** What the program reads. */
  readonly input?: string | Readable;
  /** The program is given up after this long. */
  readonly timeoutMs?: number;
  /** By default as root; by sudo where the connection is of another user. */
  readonly asRoot?: boolean;
}

export interface RunResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Bytes that can be read again from any place, so that a broken transfer goes on where it was. */
export interface UploadSource {
  readonly sizeBytes: number;
  /** Of all bytes, in hexadecimal. */
  readonly sha256: string;
  open(fromByte: number): Readable;
}

export interface UploadOptions {
  /** Permissions of the file, such as 0o644. */
  readonly mode: number;
  readonly onProgress?: (doneBytes: number) => void;
}

export interface HostConnection {
  /** Runs a program; bounded in time and in what is kept of its output. */
  run(argv: readonly string[], options?: RunOptions): Promise<RunResult>;
  /**
   * Puts a file in its place as a whole, or not at all; what is there of an earlier attempt is not sent again. Throws
   * `HOST_UPLOAD_CORRUPT` when what arrived is not what was sent.
   */
  upload(source: UploadSource, remotePath: string, options: UploadOptions): Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
}

/** A program that is given up after this long unless its caller says otherwise. */
export const RUN_TIMEOUT_MS = 120_000;
/** Of what a program writes, the last part is kept. */
export const OUTPUT_BYTES_MAX = 1024 * 1024;
