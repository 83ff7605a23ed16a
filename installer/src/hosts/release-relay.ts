/**
 * Many hosts get a release from one another: the installer sends it to a few, which give it to others, which do the
 * same. So the time grows with the depth of a tree, and the installer's line carries little more than for a few hosts.
 *
 * What a host was given by another is only the beginning of an upload: `upload` sends what is missing and looks at the
 * checksum of the whole, so nothing has to be believed, and whatever fails here is only slower. Agents give, masters do
 * not: at an agent everybody reaches the ports of tasks.
 */

import { randomUUID } from 'node:crypto';
import { OperationError, operationErrorCode } from '@dcos/base';
import type { HostConnection, UploadSource } from './connection.ts';
import { onAll } from './side-by-side.ts';
import { partPath } from './upload.ts';

/** With fewer hosts nothing is won. */
const HOSTS_MIN = 6;
/** Hosts that the installer sends to at a time, as long as none gives. */
const DIRECT_MAX = 3;
/** Hosts that one gives to at a time. */
const TAKERS_MAX = 3;
/** Among the ports of tasks. */
const PORT = 5049;
const UNIT = 'dcos-release-relay.service';
/** A host that nobody tells to stop gives no longer than that. */
const GIVE_SECONDS_MAX = 900;
const TAKE_TIMEOUT_MS = 300_000;

/** Gives a file from any byte on to whoever knows the word. The file goes with the unit, however that ends. */
const GIVE = `
set -e
file=$1 socket=$2 word=$3 unit=$4 seconds=$5
systemctl stop "$unit" 2>/dev/null || true
ln -f "$file" "$file.give"
systemd-run --quiet --collect --unit="$unit" --property=RuntimeMaxSec="$seconds" \\
  --property=ExecStopPost="/bin/rm -f $file.give" \\
  systemd-socket-activate --accept --inetd -l "$socket" \\
  /bin/sh -c 'read -r word from && [ "$word" = "$2" ] && exec tail -c +"$from" "$1"' give "$file.give" "$word"
`;
const TAKE = `
set -e
mkdir -p "$(dirname "$1")"
from=$(($(stat -c %s "$1" 2>/dev/null || echo 0) + 1))
exec 3<>"/dev/tcp/$2/$3"
printf '%s %s\\n' "$4" "$from" >&3
exec cat <&3 >>"$1"
`;

/** A host to which the release goes. */
export interface Taker {
  readonly connection: HostConnection;
  readonly address: string;
  /** Whether it may give to others afterwards. */
  readonly mayGive: boolean;
}

interface Giver {
  readonly connection: HostConnection;
  readonly address: string;
  takers: number;
}

export class ReleaseRelay {
  readonly #word = randomUUID();
  readonly #isUsed: boolean;
  /** All that were begun. */
  readonly #begun: HostConnection[] = [];
  readonly #givers: Giver[] = [];
  readonly #waiting: (() => void)[] = [];
  #direct = 0;

  /** @param hosts how many get the release. */
  constructor(hosts: number) {
    this.#isUsed = hosts >= HOSTS_MIN;
  }

  /** Puts the archive in its place on a host, from wherever it comes. */
  async upload(taker: Taker, source: UploadSource, options: RelayOptions): Promise<void> {
    const { path } = options;
    const send = async (): Promise<void> => await taker.connection.upload(source, path, options);
    if (!this.#isUsed) return await send();
    const giver = await this.#turn(taker.mayGive ? DIRECT_MAX : 1);
    try {
      if (giver === undefined) await send();
      else await this.#take(taker, giver, { part: partPath(path, source), send });
      // Its turn is over when it gives, so that the next one has somebody to take from.
      if (taker.mayGive) await this.#give(taker, path);
    } finally {
      if (giver === undefined) this.#direct -= 1;
      else giver.takers -= 1;
      this.#wake();
    }
  }

  /** Nobody gives any more. */
  async close(): Promise<void> {
    await onAll(
      this.#begun.splice(0),
      async (connection) => await succeeds(connection, ['systemctl', 'stop', UNIT]),
    );
  }

  /**
   * Who gives; undefined when it is the installer's turn.
   * @param directMax fewer for those who do not give, so that others soon can.
   */
  async #turn(directMax: number): Promise<Giver | undefined> {
    for (;;) {
      const [giver] = this.#givers
        .filter(({ takers }) => takers < TAKERS_MAX)
        .toSorted((a, b) => a.takers - b.takers);
      if (giver !== undefined) {
        giver.takers += 1;
        return giver;
      }
      if (this.#givers.length === 0 && this.#direct < directMax) {
        this.#direct += 1;
        return undefined;
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Everybody looks again: there are few. */
  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async #take(
    { connection }: Taker,
    giver: Giver,
    { part, send }: { readonly part: string; readonly send: () => Promise<void> },
  ): Promise<void> {
    const words = [part, giver.address, String(PORT), this.#word];
    const isTaken = await succeeds(connection, ['bash', '-c', TAKE, 'take', ...words]);
    // Others need not try what has failed.
    if (!isTaken && this.#givers.includes(giver))
      this.#givers.splice(this.#givers.indexOf(giver), 1);
    try {
      await send();
    } catch (error) {
      // What another host gave was not the release, and is thrown away.
      if (operationErrorCode(error) !== 'HOST_UPLOAD_CORRUPT') throw error;
      await send();
    }
  }

  async #give({ connection, address }: Taker, path: string): Promise<void> {
    const words = [path, `${address}:${PORT}`, this.#word, UNIT, String(GIVE_SECONDS_MAX)];
    this.#begun.push(connection);
    const isGiving = await succeeds(connection, ['sh', '-c', GIVE, 'give', ...words]);
    if (isGiving) this.#givers.push({ connection, address, takers: 0 });
    this.#wake();
  }
}

export interface RelayOptions {
  /** Where the archive goes. */
  readonly path: string;
  readonly mode: number;
  readonly onProgress?: (doneBytes: number) => void;
}

/** False for whatever reason: the way that is slower is taken then, and tells of what is really wrong. */
async function succeeds(connection: HostConnection, argv: readonly string[]): Promise<boolean> {
  try {
    return (await connection.run(argv, { timeoutMs: TAKE_TIMEOUT_MS })).code === 0;
  } catch (error) {
    if (error instanceof OperationError) return false;
    throw error;
  }
}
