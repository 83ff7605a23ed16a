/**
 * The embedded store: one SQLite file, write-ahead log, `synchronous=FULL`, so that a commit that was
 * acknowledged survives power loss.
 *
 * A commit to disk takes milliseconds however many rows it has, so batches that arrive while one is under
 * way are grouped: each keeps its own all-or-nothing (a savepoint), all share one commit. SQLite runs on
 * this thread; grouping bounds how often it holds the event loop.
 */

import { DatabaseSync } from 'node:sqlite';
import { OperationError } from '@dcos/base';
import { createElections, storeClosed } from './elections.ts';
import {
  checkLimits,
  conflict,
  fenced,
  type Change,
  type CommitOptions,
  type Entry,
  type Store,
  type Write,
} from './store.ts';
import { createWatchers } from './watchers.ts';

/** Batches that may wait for the disk; more are refused rather than held in memory. */
export const QUEUED_BATCHES_MAX = 10_000;

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  CREATE TABLE IF NOT EXISTS entries (
    key TEXT PRIMARY KEY, value BLOB NOT NULL, version INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS ephemeral_keys (key TEXT PRIMARY KEY) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS epochs (election TEXT PRIMARY KEY, epoch INTEGER NOT NULL) WITHOUT ROWID;
`;

/** Keys that went with the process that made them, however it ended. */
const FORGET_EPHEMERAL = `
  DELETE FROM entries WHERE key IN (SELECT key FROM ephemeral_keys);
  DELETE FROM ephemeral_keys;
`;

interface Pending {
  readonly writes: readonly Write[];
  readonly options: CommitOptions;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Opens or makes the file. Throws `STORE_UNUSABLE` when it is no store. */
export function openSqliteStore(path: string): Store {
  const database = openDatabase(path);
  const statements = {
    get: database.prepare('SELECT key, value, version FROM entries WHERE key = ?'),
    list: database.prepare(
      'SELECT key, value, version FROM entries WHERE key >= ? AND key < ? ORDER BY key',
    ),
    put: database.prepare(
      'INSERT INTO entries (key, value, version) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value, version = excluded.version',
    ),
    delete: database.prepare('DELETE FROM entries WHERE key = ?'),
    markEphemeral: database.prepare('INSERT INTO ephemeral_keys (key) VALUES (?)'),
    unmarkEphemeral: database.prepare('DELETE FROM ephemeral_keys WHERE key = ?'),
    epoch: database.prepare(
      'INSERT INTO epochs (election, epoch) VALUES (?, 1) ON CONFLICT (election) DO UPDATE SET epoch = epoch + 1 RETURNING epoch',
    ),
  };
  const watchers = createWatchers();
  const elections = createElections((election) =>
    Number(statements.epoch.get(election)?.['epoch']),
  );
  let queue: Pending[] = [];
  let closed = false;

  function read(key: string): Entry | undefined {
    const row = statements.get.get(key);
    return row === undefined ? undefined : toEntry(row);
  }

  function apply(writes: readonly Write[]): readonly Change[] {
    const changes: Change[] = [];
    for (const write of writes) {
      const version = read(write.key)?.version ?? 0;
      if (write.expect !== undefined && write.expect !== version) {
        throw conflict(write.key, write.expect, version);
      }
      if (write.kind === 'put') {
        statements.put.run(write.key, write.value, version + 1);
        if (version === 0 && write.ephemeral === true) statements.markEphemeral.run(write.key);
        changes.push({
          kind: 'put',
          entry: { key: write.key, value: write.value, version: version + 1 },
        });
      } else if (version > 0) {
        statements.delete.run(write.key);
        statements.unmarkEphemeral.run(write.key);
        changes.push({ kind: 'delete', key: write.key });
      }
    }
    return changes;
  }

  function attempt(pending: Pending): readonly Change[] | undefined {
    try {
      if (pending.options.lease !== undefined && !pending.options.lease.isHeld()) {
        throw fenced();
      }
      database.exec('SAVEPOINT batch');
      try {
        const changes = apply(pending.writes);
        database.exec('RELEASE batch');
        return changes;
      } catch (error) {
        database.exec('ROLLBACK TO batch');
        database.exec('RELEASE batch');
        throw error;
      }
    } catch (error) {
      pending.reject(error);
      return undefined;
    }
  }

  function flush(): void {
    const group = queue;
    queue = [];
    if (group.length === 0) return;
    const applied: { readonly pending: Pending; readonly changes: readonly Change[] }[] = [];
    try {
      database.exec('BEGIN IMMEDIATE');
      for (const pending of group) {
        const changes = attempt(pending);
        if (changes !== undefined) applied.push({ pending, changes });
      }
      database.exec('COMMIT');
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      const failure = new OperationError('STORE_UNUSABLE', 'the store could not be written', {
        cause: error,
      });
      for (const pending of group) pending.reject(failure);
      return;
    }
    for (const { pending, changes } of applied) {
      watchers.notify(changes);
      pending.resolve();
    }
  }

  return {
    async get(key) {
      if (closed) throw storeClosed();
      return read(key);
    },
    async list(prefix) {
      if (closed) throw storeClosed();
      return statements.list.all(prefix, `${prefix}\u{10FFFF}`).map(toEntry);
    },
    async commit(writes, options = {}) {
      if (closed) throw storeClosed();
      checkLimits(writes);
      if (queue.length >= QUEUED_BATCHES_MAX) {
        throw new OperationError('STORE_LIMIT', 'too many writes are waiting for the disk', {
          retry: 'later',
        });
      }
      await new Promise<void>((resolve, reject) => {
        queue.push({ writes, options, resolve, reject });
        if (queue.length === 1) setImmediate(flush);
      });
    },
    watch: (prefix, listener) => watchers.add(prefix, listener),
    elect: (...candidacy) => elections.elect(...candidacy),
    leader: async (election) => elections.leader(election),
    candidates: async (election) => elections.candidates(election),
    watchLeader: (election, listener) => elections.watchLeader(election, listener),
    async close() {
      if (closed) return;
      flush();
      closed = true;
      elections.close();
      database.exec(FORGET_EPHEMERAL);
      database.close();
    },
  };
}

/** Opens a file for reading, beside a store that writes it. Throws `STORE_UNUSABLE` when it is no store. */
export function openSqliteReader(path: string): Pick<Store, 'list' | 'close'> {
  try {
    const database = new DatabaseSync(path, { readOnly: true });
    // What goes with its maker is of no use to anybody else.
    const all = database.prepare(
      'SELECT key, value, version FROM entries WHERE key >= ? AND key < ? AND key NOT IN (SELECT key FROM ephemeral_keys) ORDER BY key',
    );
    return {
      list: async (prefix) => all.all(prefix, `${prefix}\u{10FFFF}`).map(toEntry),
      close: async () => database.close(),
    };
  } catch (error) {
    throw new OperationError('STORE_UNUSABLE', `${path} cannot be read as a store`, {
      cause: error,
    });
  }
}

function openDatabase(path: string): DatabaseSync {
  try {
    const database = new DatabaseSync(path);
    database.exec(SCHEMA);
    database.exec(FORGET_EPHEMERAL);
    return database;
  } catch (error) {
    throw new OperationError('STORE_UNUSABLE', `${path} cannot be opened as a store`, {
      cause: error,
    });
  }
}

function toEntry(row: Record<string, unknown>): Entry {
  return {
    key: String(row['key']),
    value: row['value'] instanceof Uint8Array ? row['value'] : new Uint8Array(),
    version: Number(row['version']),
  };
}
