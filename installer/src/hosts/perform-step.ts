/** Does one step of a plan on its host. Each may be cut short anywhere and done again. */

import { OperationError, Secret } from '@dcos/base';
import { RELEASE_NODE, RELEASES, type HostPlace } from '../core/cluster.ts';
import type { Step } from '../core/plan.ts';
import type { WantedFile } from '../core/wanted-host.ts';
import type { HostConnection } from './connection.ts';
import { hostProgram } from './host-programs.ts';
import { unitReport, waitUntilReady } from './readiness.ts';
import type { Release } from './release.ts';
import type { ReleaseRelay } from './release-relay.ts';

const PACKAGES_TIMEOUT_MS = 900_000;
const UNPACK_TIMEOUT_MS = 600_000;
/** A master of many waits for a majority of ZooKeeper; slow machines take their time. */
export const READY_TIMEOUT_MS = 180_000;

const UNPACK = `
set -e
rm -rf "$2.partial"
mkdir -p "$2.partial"
tar --extract --gzip --file "$1" --directory "$2.partial" --no-same-owner
mv "$2.partial" "$2"
rm -f "$1"
`;

const INSTALL_PACKAGES = `
if command -v apt-get >/dev/null 2>&1; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q && apt-get install -q -y --no-install-recommends "$@"
else
  dnf install -q -y "$@"
fi
`;

export interface StepSurroundings {
  readonly connection: HostConnection;
  readonly release: Release;
  readonly relay: ReleaseRelay;
  readonly host: HostPlace;
  /** Told of what happens within a long step. */
  readonly onProgress: (text: string) => void;
}

/** Throws an OperationError that says what to look at. */
export async function performStep(step: Step, surroundings: StepSurroundings): Promise<void> {
  const { connection } = surroundings;
  switch (step.kind) {
    case 'packages':
      await does(connection, ['sh', '-c', INSTALL_PACKAGES, 'packages', ...step.names], {
        timeoutMs: PACKAGES_TIMEOUT_MS,
      });
      return;
    case 'release':
      return await pushRelease(surroundings);
    case 'configuration': {
      const { files, removed, activate } = step;
      const node = `${RELEASES}/${surroundings.release.hash}/${RELEASE_NODE}`;
      await does(connection, [node, '--input-type=module', '-e', hostProgram('apply.mjs')], {
        input: JSON.stringify({ files: files.map(revealed), removed, activate }),
      });
      await does(connection, ['systemctl', 'daemon-reload']);
      return;
    }
    case 'unit':
      return await startUnit(step, surroundings);
    case 'stop':
      await does(connection, ['systemctl', 'disable', '--now', '--quiet', `${step.unit}.service`]);
      return;
  }
}

/** The one place at which secrets leave for their host. */
function revealed({ path, text, mode }: WantedFile): object {
  return { path, mode, text: text instanceof Secret ? text.reveal() : text };
}

async function pushRelease(surroundings: StepSurroundings): Promise<void> {
  const { connection, release, relay, host, onProgress } = surroundings;
  const source = release.archive;
  const archive = `${RELEASES}/.incoming/${release.hash}.tar.gz`;
  let told = 0;
  const taker = { connection, address: host.address, mayGive: host.role !== 'master' };
  await relay.upload(taker, source, {
    path: archive,
    mode: 0o600,
    onProgress(doneBytes) {
      const percent = Math.floor((doneBytes / source.sizeBytes) * 100);
      if (percent < told + 25 && percent < 100) return;
      told = percent;
      onProgress(`${percent} % of ${Math.ceil(source.sizeBytes / 1e6)} MB`);
    },
  });
  onProgress('unpack');
  await does(connection, ['sh', '-c', UNPACK, 'unpack', archive, `${RELEASES}/${release.hash}`], {
    timeoutMs: UNPACK_TIMEOUT_MS,
  });
}

async function startUnit(
  { unit, action }: Step & { readonly kind: 'unit' },
  { connection }: StepSurroundings,
): Promise<void> {
  const service = `${unit.name}.service`;
  await does(connection, ['systemctl', 'enable', '--now', '--quiet', 'dcos.target']);
  // Only now, so that the target does not start it.
  await does(connection, ['systemctl', 'enable', '--quiet', service]);
  if (action === 'enable') return;
  // One that ends again and again is started with what it has now, too.
  await does(connection, ['systemctl', 'restart', service]);
  const question = { readiness: unit.readiness, unit: unit.name, timeoutMs: READY_TIMEOUT_MS };
  const problem = await waitUntilReady(connection, question);
  if (problem === undefined) return;
  throw new OperationError(
    'UNIT_NOT_READY',
    `${service} does not serve: ${problem}\n${await unitReport(connection, unit.name)}`,
  );
}

async function does(
  connection: HostConnection,
  argv: readonly string[],
  options: { readonly input?: string; readonly timeoutMs?: number } = {},
): Promise<void> {
  const { code, stdout, stderr } = await connection.run(argv, options);
  if (code === 0) return;
  const said = `${stdout}\n${stderr}`.trim().slice(-2_000);
  const words = argv.slice(0, 3).map((word) => (word.includes('\n') ? '…' : word));
  throw new OperationError('HOST_PROGRAM_FAILED', `${words.join(' ')} ended with ${code}: ${said}`);
}
