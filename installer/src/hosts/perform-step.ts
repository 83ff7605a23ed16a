/** Does one step of a plan on its host. Each may be cut short anywhere and done again. */

import { OperationError, present, Secret } from '@dcos/base';
import { ACTIVE, FORMER, KEPT, RELEASE_NODE, RELEASES, type HostPlace } from '../core/cluster.ts';
import type { HostStep } from '../core/plan.ts';
import type { WantedFile, WantedUnit } from '../core/wanted-host.ts';
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

/**
 * The unit is enabled when the target is there, which would start it otherwise, and with it what others begin at the same
 * time. One that ends again and again is started with what it has now, too.
 */
const START = `
set -e
if ! systemctl is-active --quiet dcos.target || ! systemctl is-enabled --quiet dcos.target; then
  systemctl enable --now --quiet dcos.target
fi
systemctl enable --quiet "$1"
if [ "$2" != enable ]; then systemctl restart "$1"; fi
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
  readonly place: HostPlace;
  /** Where a step pushes one. */
  readonly push?: { readonly release: Release; readonly relay: ReleaseRelay };
  /** Told of what happens within a long step. */
  readonly onProgress: (text: string) => void;
}

/** Throws an OperationError that says what to look at. */
export async function performStep(step: HostStep, surroundings: StepSurroundings): Promise<void> {
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
      const folder = activate === undefined ? ACTIVE : `${RELEASES}/${activate}`;
      const node = `${folder}/${RELEASE_NODE}`;
      await does(connection, [node, '--input-type=module', '-e', hostProgram('apply.mjs')], {
        input: JSON.stringify({ files: files.map(revealed), removed, activate }),
      });
      await does(connection, ['systemctl', 'daemon-reload']);
      return;
    }
    case 'unit':
      return await startUnit(step, surroundings);
    case 'tidy':
      await does(connection, ['rm', '-rf', ...step.releases.flatMap(placesOf)]);
      return;
    case 'back':
      return await goBack(step, connection);
    case 'stop':
      await does(connection, ['systemctl', 'disable', '--now', '--quiet', `${step.unit}.service`]);
      return;
  }
}

/** The one place at which secrets leave for their host. */
function revealed({ path, text, mode }: WantedFile): object {
  return { path, mode, text: text instanceof Secret ? text.reveal() : text };
}

async function pushRelease({
  connection,
  place,
  push,
  onProgress,
}: StepSurroundings): Promise<void> {
  const { release, relay } = present(push, 'release');
  const source = release.archive;
  const archive = `${RELEASES}/.incoming/${release.hash}.tar.gz`;
  const taker = { connection, address: place.address, mayGive: place.role !== 'master' };
  let told = 0;
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
  { unit, action }: HostStep & { readonly kind: 'unit' },
  { connection }: StepSurroundings,
): Promise<void> {
  const service = `${unit.name}.service`;
  await does(connection, ['sh', '-c', START, 'start', service, action]);
  if (action !== 'enable') await serves(connection, unit);
}

/** Where a release and the configuration that it had are. */
function placesOf(release: string): readonly string[] {
  return [`${RELEASES}/${release}`, `${KEPT}/${release}`];
}

/** In the order of units: each stands on those before it. */
async function goBack(
  { release, units }: HostStep & { readonly kind: 'back' },
  connection: HostConnection,
): Promise<void> {
  const node = `${RELEASES}/${release}/${RELEASE_NODE}`;
  const program = ['--input-type=module', '-e', hostProgram('back.mjs'), release];
  const { restarts } = JSON.parse(await does(connection, [node, ...program])) as {
    readonly restarts: readonly string[];
  };
  const known = units.filter(({ name }) => restarts.includes(`${name}.service`));
  const others = restarts.filter((unit) => !known.some(({ name }) => unit === `${name}.service`));
  for (const unit of known) {
    await does(connection, ['systemctl', 'restart', `${unit.name}.service`]);
    await serves(connection, unit);
  }
  if (others.length > 0) await does(connection, ['systemctl', 'restart', ...others]);
  // Only now: a run that is cut short before leaves a host that the next one takes back.
  await does(connection, ['rm', '-rf', `${KEPT}/${release}`, FORMER]);
}

async function serves(connection: HostConnection, unit: WantedUnit): Promise<void> {
  const question = { readiness: unit.readiness, unit: unit.name, timeoutMs: READY_TIMEOUT_MS };
  const problem = await waitUntilReady(connection, question);
  if (problem === undefined) return;
  throw new OperationError(
    'UNIT_NOT_READY',
    `${unit.name}.service does not serve: ${problem}\n${await unitReport(connection, unit.name)}`,
  );
}

async function does(
  connection: HostConnection,
  argv: readonly string[],
  options: { readonly input?: string; readonly timeoutMs?: number } = {},
): Promise<string> {
  const { code, stdout, stderr } = await connection.run(argv, options);
  if (code === 0) return stdout;
  const said = `${stdout}\n${stderr}`.trim().slice(-2_000);
  const words = argv.slice(0, 3).map((word) => (word.includes('\n') ? '…' : word));
  throw new OperationError('HOST_PROGRAM_FAILED', `${words.join(' ')} ended with ${code}: ${said}`);
}
