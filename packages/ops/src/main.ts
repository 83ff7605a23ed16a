/**
 * `npm run backup` and `npm run restore`; `dcos-ops backup` and `dcos-ops restore` in a release.
 *
 * Exit codes: 0 done, 1 failed, 2 wrong flags, 3 the place is not empty, 4 the file is no whole backup.
 */

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { errorText, operationErrorCode, silentLogger } from '@dcos/base';
import type { TlsOptions } from '@dcos/sdk';
import { backUp, restore } from './back-up.ts';

const HELP = `Backup and restore of a cluster's state.

  npm run backup  -- --from <place> --to <file>     the cluster may run meanwhile
  npm run restore -- --from <file> --to <place>     into an empty place, before its components are started

A place is zk://host:port,host:port (with user:password@ where it has one), or the folder of a box for a backup.
A box takes a backup over with: npm start -- --data-dir <new folder> --restore <file>
In a release these are dcos-ops backup, dcos-ops restore and dcos-box, without the --.

  --replace           of a restore: what the place has goes
  --tls-ca <file>     ZooKeeper speaks TLS: who is trusted,
  --tls-node <file>   and key and certificate of this host, in one file
  --json              facts as JSON

The file holds everything that the stores hold, secrets in definitions of apps too: keep it as you keep those.
Exit codes: 0 done, 1 failed, 2 wrong flags, 3 the place is not empty, 4 the file is no whole backup
`;
const EXIT_FAILED = 1;
const EXIT_FLAGS = 2;
const EXIT_CODES: Readonly<Record<string, number>> = {
  PLACE_INVALID: EXIT_FLAGS,
  RESTORE_NOT_EMPTY: 3,
  BACKUP_DAMAGED: 4,
  BACKUP_VERSION: 4,
};

const OPTIONS = {
  from: { type: 'string' },
  to: { type: 'string' },
  replace: { type: 'boolean' },
  'tls-ca': { type: 'string' },
  'tls-node': { type: 'string' },
  json: { type: 'boolean' },
} as const;

interface Flags {
  readonly from?: string;
  readonly to?: string;
  readonly replace?: boolean;
  readonly 'tls-ca'?: string;
  readonly 'tls-node'?: string;
  readonly json?: boolean;
}

/** Undefined where connections are plain. */
function tlsOf({ 'tls-ca': ca, 'tls-node': node }: Flags): TlsOptions | undefined {
  if (ca === undefined && node === undefined) return undefined;
  const pem = node === undefined ? undefined : readFileSync(node, 'utf8');
  return {
    ...(ca !== undefined && { ca: readFileSync(ca, 'utf8') }),
    ...(pem !== undefined && { cert: pem, key: pem }),
  };
}

async function main(): Promise<number> {
  const [command, ...args] = process.argv.slice(2);
  let values: Flags;
  try {
    ({ values } = parseArgs({ args, options: OPTIONS }));
  } catch (error) {
    process.stderr.write(`${errorText(error)}\n\n${HELP}`);
    return EXIT_FLAGS;
  }
  const { from, to, json = false } = values;
  if ((command !== 'backup' && command !== 'restore') || from === undefined || to === undefined) {
    process.stderr.write(HELP);
    return EXIT_FLAGS;
  }
  const tls = tlsOf(values);
  const place = { logger: silentLogger, ...(tls !== undefined && { tls }) };
  const isTerminal = process.stderr.isTTY && !json;
  const facts =
    command === 'backup'
      ? await backUp(from, to, place)
      : await restore(from, to, {
          ...place,
          replaces: values.replace ?? false,
          progress: (done, all) => void (isTerminal && process.stderr.write(`\r${done} of ${all}`)),
        });
  if (isTerminal && command === 'restore') process.stderr.write('\n');
  const said =
    command === 'backup'
      ? `${facts.entries} entries are in ${to}`
      : `${facts.entries} entries of ${facts.createdAt} are in place`;
  process.stdout.write(json ? `${JSON.stringify(facts)}\n` : `${said}\n`);
  return 0;
}

main().then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    process.stderr.write(`${errorText(error)}\n`);
    process.exitCode = EXIT_CODES[operationErrorCode(error) ?? ''] ?? EXIT_FAILED;
  },
);
