/**
 * The checkpoint on a disk that may fill up. A reserve, a file beside the journal, is given up when there is no room
 * for a record: what ends meanwhile, and what is refused, can still be written down. When that is used up too, writing
 * waits, and with it everything that must not leave before it is durable. The reserve is made again when there is room.
 *
 * Invariant: `append` fails for lack of space only after `stopWaiting`.
 */

import { open, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorText, type JsonObject, type Logger } from '@dcos/base';
import {
  isOutOfSpace,
  openCheckpointJournal,
  type CheckpointJournal,
  type CheckpointWrite,
} from './checkpoint-journal.ts';

/** Room for about a thousand records. */
const RESERVE_BYTES = 4 * 1024 * 1024;
/** Free space with which work is taken on again, in reserves: more than one, so that it is not a moment's. */
const RESERVES_FREE_MIN = 2;
/** Time between two attempts to write, and between two looks at the free space. */
const RETRY_MS = 1_000;
const CHUNK_BYTES = 1024 * 1024;

export interface PatientJournal extends CheckpointJournal {
  /** Tells at once whether space is short, and then of every change. */
  watchSpace(listener: (isShort: boolean) => void): void;
  /** From now on a full disk makes `append` fail. */
  stopWaiting(): void;
}

export interface PatientJournalOptions {
  readonly path: string;
  readonly logger: Logger;
  readonly reserveBytes?: number;
  readonly retryMs?: number;
}

/** Opens the journal, at the price of its reserve where there is no other way. */
export async function openPatientJournal(options: PatientJournalOptions): Promise<PatientJournal> {
  const { path, logger } = options;
  const reserve = join(dirname(path), 'reserve');
  let journal: CheckpointJournal;
  try {
    journal = await openCheckpointJournal(path, logger);
  } catch (error) {
    if (!isOutOfSpace(error)) throw error;
    await rm(reserve, { force: true });
    journal = await openCheckpointJournal(path, logger);
  }
  const patient = new WaitingJournal(journal, reserve, options);
  await patient.start();
  return patient;
}

class WaitingJournal implements PatientJournal {
  readonly records: ReadonlyMap<string, JsonObject>;
  readonly #journal: CheckpointJournal;
  readonly #reserve: string;
  readonly #reserveBytes: number;
  readonly #retryMs: number;
  readonly #logger: Logger;
  readonly #impatient = Promise.withResolvers<void>();
  #isWaiting = true;
  #isShort = false;
  #listener: ((isShort: boolean) => void) | undefined;
  #looking: NodeJS.Timeout | undefined;

  constructor(journal: CheckpointJournal, reserve: string, options: PatientJournalOptions) {
    this.records = journal.records;
    this.#journal = journal;
    this.#reserve = reserve;
    this.#reserveBytes = options.reserveBytes ?? RESERVE_BYTES;
    this.#retryMs = options.retryMs ?? RETRY_MS;
    this.#logger = options.logger;
  }

  async start(): Promise<void> {
    if (!(await this.#makeReserve())) this.#spaceIsShort('there is no room for the reserve');
  }

  watchSpace(listener: (isShort: boolean) => void): void {
    this.#listener = listener;
    listener(this.#isShort);
  }

  async append(writes: readonly CheckpointWrite[]): Promise<void> {
    for (;;) {
      try {
        await this.#journal.append(writes);
        return;
      } catch (error) {
        if (!isOutOfSpace(error) || !this.#isWaiting) throw error;
        await this.#makeRoom(errorText(error));
      }
    }
  }

  stopWaiting(): void {
    this.#isWaiting = false;
    this.#impatient.resolve();
  }

  async close(): Promise<void> {
    this.stopWaiting();
    clearTimeout(this.#looking);
    await this.#journal.close();
  }

  async #makeRoom(problem: string): Promise<void> {
    this.#spaceIsShort(problem);
    if (await this.#hasReserve()) {
      await rm(this.#reserve, { force: true });
      return;
    }
    let timer: NodeJS.Timeout | undefined;
    const pause = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#retryMs);
    });
    await Promise.race([pause, this.#impatient.promise]);
    clearTimeout(timer);
  }

  #spaceIsShort(problem: string): void {
    if (this.#isShort) return;
    this.#isShort = true;
    this.#logger.error(
      { event: 'disk.full', error: problem },
      'the disk of the work directory is full: nothing new is started until there is room',
    );
    this.#listener?.(true);
    this.#lookAgain();
  }

  #lookAgain(): void {
    if (!this.#isWaiting) return;
    this.#looking = setTimeout(() => void this.#look(), this.#retryMs).unref();
  }

  async #look(): Promise<void> {
    try {
      const { bavail, bsize } = await statfs(dirname(this.#reserve));
      const isRoom = bavail * bsize >= RESERVES_FREE_MIN * this.#reserveBytes;
      if (!isRoom || !(await this.#makeReserve())) return this.#lookAgain();
    } catch (error) {
      this.#logger.warn(
        { event: 'disk.look-failed', error: errorText(error) },
        'cannot tell whether there is room again',
      );
      return this.#lookAgain();
    }
    this.#isShort = false;
    this.#logger.info({ event: 'disk.room' }, 'there is room on the disk again');
    this.#listener?.(false);
  }

  async #hasReserve(): Promise<boolean> {
    try {
      return (await stat(this.#reserve)).size > 0;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
      throw error;
    }
  }

  /** False when there is no room for it, and then nothing of it is there. */
  async #makeReserve(): Promise<boolean> {
    const handle = await open(this.#reserve, 'a', 0o600);
    try {
      for (let { size } = await handle.stat(); size < this.#reserveBytes;) {
        const length = Math.min(CHUNK_BYTES, this.#reserveBytes - size);
        size += (await handle.write(Buffer.alloc(length))).bytesWritten;
      }
      return true;
    } catch (error) {
      await rm(this.#reserve, { force: true });
      if (isOutOfSpace(error)) return false;
      throw error;
    } finally {
      await handle.close();
    }
  }
}
