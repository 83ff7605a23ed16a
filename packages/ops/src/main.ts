/**
 * `npm run backup` and `npm run restore`; `dcos-ops backup` and `dcos-ops restore` in a release.
 *
 * Exit codes: 0 done, 1 failed, 2 wrong flags, 3 the place is not empty, 4 the file is no whole backup.
 */

import { parseArgs } from 'node:util';
import { errorText, operationErrorCode, silentLogger } from '@dcos/base';
import { backUp, restore } from './back-up.ts';

const HELP = `Backup and restore of a cluster's state.

  npm run backup  -- --from <place> --to <file>     the cluster may run meanwhile
  npm run restore -- --from <file> --to <place>     into an empty place, before its components are started

A place is zk://host:port,host:port (with user:password@ where it has one), or the folder of a box for a backup.
A box takes a backup over with: npm start -- --data-dir <new folder> --restore <file>
In a release these are dcos-ops backup, dcos-ops restore and dcos-box, without the --.

  --json    facts as JSON

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

async function main(): Promise<number> {
  const [command, ...args] = process.argv.slice(2);
  let values: { readonly from?: string; readonly to?: string; readonly json?: boolean };
  try {
    ({ values } = parseArgs({
      args,
      options: { from: { type: 'string' }, to: { type: 'string' }, json: { type: 'boolean' } },
    }));
  } catch (error) {
    process.stderr.write(`${errorText(error)}\n\n${HELP}`);
    return EXIT_FLAGS;
  }
  const { from, to, json = false } = values;
  if ((command !== 'backup' && command !== 'restore') || from === undefined || to === undefined) {
    process.stderr.write(HELP);
    return EXIT_FLAGS;
  }
  const isTerminal = process.stderr.isTTY && !json;
  const facts =
    command === 'backup'
      ? await backUp(from, to, silentLogger)
      : await restore(from, to, {
          logger: silentLogger,
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
