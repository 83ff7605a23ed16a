/**
 * From what is wanted and what is there to the steps between them. A step says what it waits for, so that steps of
 * different hosts go on side by side. Nothing is done twice: where all is as wanted, the plan is empty.
 *
 * Order: each host gets packages, release, files, then its units in their order. Over the hosts, every kind of unit
 * waits until the kinds that it stands on are ready on all masters: ZooKeeper, then masters, then the rest. A unit that
 * runs already and has to start again does so on one master at a time, so that the others go on, and on the leading one
 * last, so that its work moves once.
 */

import { fileState, type HostFacts } from './host-facts.ts';
import type { WantedFile, WantedHost, WantedUnit } from './wanted-host.ts';

interface StepBase {
  /** Unique in the plan; `<host>/<what>`. */
  readonly id: string;
  /** Name of the host. */
  readonly host: string;
  /** Steps that have to be done before. */
  readonly after: readonly string[];
}

export type Step =
  | (StepBase & { readonly kind: 'packages'; readonly names: readonly string[] })
  | (StepBase & { readonly kind: 'release'; readonly hash: string })
  | (StepBase & {
      readonly kind: 'configuration';
      readonly files: readonly WantedFile[];
      /** Files of ours that nothing wants any more. */
      readonly removed: readonly string[];
      /** Points `active` at this release. */
      readonly activate?: string;
    })
  | (StepBase & {
      readonly kind: 'unit';
      readonly unit: WantedUnit;
      readonly action: 'start' | 'restart' | 'enable';
    })
  | (StepBase & { readonly kind: 'stop'; readonly unit: string });

export interface HostState {
  readonly wanted: WantedHost;
  readonly facts: HostFacts;
}

/** How many agents are away at the same time, so that the masters see few come and go. */
const AGENTS_AT_A_TIME = 10;
/** Units that all of a kind must be ready on the masters before others start, in this order. */
const GATES = ['dcos-zookeeper', 'dcos-mesos-master'];

/**
 * Where all of a cluster is as wanted, there are no steps. Same input, same plan.
 * @param leader address of the host whose master leads, where that is known.
 */
export function planCluster(states: readonly HostState[], leader?: string): readonly Step[] {
  const steps = states.flatMap(stepsOfHost);
  const leading = states.find(({ wanted: { host } }) => host.address === leader);
  const masters = states.filter(({ wanted: { host } }) => host.role === 'master');
  const restarts = restartsBefore(steps, {
    masters: new Set(masters.map(({ wanted: { host } }) => host.name)),
    lastHost: leading?.wanted.host.name,
  });
  return steps.map((step) => {
    if (step.kind !== 'unit') return step;
    const further = [...gatesBefore(step, steps), ...(restarts.get(step.id) ?? [])];
    return { ...step, after: [...new Set([...step.after, ...further])] };
  });
}

/** Whether a master that serves is taken away for a moment; the others have to be there meanwhile. */
export function restartsMaster(steps: readonly Step[], states: readonly HostState[]): boolean {
  const masters = states.filter(({ wanted: { host } }) => host.role === 'master');
  const names = new Set(masters.map(({ wanted: { host } }) => host.name));
  return steps.some(
    (step) => step.kind === 'unit' && step.action === 'restart' && names.has(step.host),
  );
}

function stepsOfHost({ wanted, facts }: HostState): readonly Step[] {
  const host = wanted.host.name;
  const steps: Step[] = [];
  const add = (step: Step): void => {
    steps.push(step);
  };
  const base = (what: string): StepBase => ({
    id: `${host}/${what}`,
    host,
    after: steps.length === 0 ? [] : [steps.at(-1)?.id ?? ''],
  });
  for (const unit of unwantedUnits(wanted, facts))
    add({ ...base(`stop ${unit}`), kind: 'stop', unit });
  const names = wanted.packages.filter((name) => !facts.packages.has(name));
  if (names.length > 0) add({ ...base('packages'), kind: 'packages', names });
  if (!facts.releases.has(wanted.releaseHash))
    add({ ...base('release'), kind: 'release', hash: wanted.releaseHash });
  const files = wanted.files.filter(
    ({ path, text, mode, sha256 }) =>
      text !== undefined && facts.files.get(path) !== fileState(mode, sha256),
  );
  const removed = unwantedFiles(wanted, facts);
  const isActive = facts.activeRelease === wanted.releaseHash;
  if (files.length > 0 || removed.length > 0 || !isActive) {
    const activate = isActive ? {} : { activate: wanted.releaseHash };
    add({ ...base('configuration'), kind: 'configuration', files, removed, ...activate });
  }
  for (const unit of wanted.units) {
    const action = actionFor(unit, facts);
    if (action !== undefined) add({ ...base(unit.name), kind: 'unit', unit, action });
  }
  return steps;
}

function actionFor(unit: WantedUnit, facts: HostFacts): 'start' | 'restart' | 'enable' | undefined {
  const found = facts.units.get(unit.name);
  if (found?.fingerprint === undefined || found.active === 'failed') return 'start';
  if (found.fingerprint !== unit.fingerprint) return unit.isUseless ? 'start' : 'restart';
  return found.isEnabled && facts.units.get('dcos.target')?.isEnabled === true
    ? undefined
    : 'enable';
}

function unwantedUnits(wanted: WantedHost, facts: HostFacts): readonly string[] {
  const names = new Set(['dcos.target', ...wanted.units.map(({ name }) => name)]);
  return [...facts.units.keys()].filter((name) => !names.has(name));
}

function unwantedFiles(wanted: WantedHost, facts: HostFacts): readonly string[] {
  const paths = new Set(wanted.files.map(({ path }) => path));
  return [...facts.files.keys()].filter((path) => !paths.has(path));
}

/** Steps of units that this one stands on. */
function gatesBefore(
  step: Step & { readonly kind: 'unit' },
  steps: readonly Step[],
): readonly string[] {
  const place = GATES.indexOf(step.unit.name);
  const gates = place === -1 ? GATES : GATES.slice(0, place);
  return steps.flatMap((other) =>
    other.kind === 'unit' && gates.includes(other.unit.name) ? [other.id] : [],
  );
}

/** For each restart those that it waits for: the next master follows the former, agents go in small groups. */
function restartsBefore(
  steps: readonly Step[],
  order: { readonly masters: ReadonlySet<string>; readonly lastHost: string | undefined },
): ReadonlyMap<string, readonly string[]> {
  const earlier = new Map<string, string[]>();
  const before = new Map<string, readonly string[]>();
  const inOrder = [
    ...steps.filter(({ host }) => host !== order.lastHost),
    ...steps.filter(({ host }) => host === order.lastHost),
  ];
  for (const step of inOrder) {
    if (step.kind !== 'unit' || step.action !== 'restart') continue;
    const atATime = order.masters.has(step.host) ? 1 : AGENTS_AT_A_TIME;
    const same = earlier.get(step.unit.name) ?? [];
    const former = same.at(-atATime);
    if (former !== undefined) before.set(step.id, [former]);
    earlier.set(step.unit.name, [...same, step.id]);
  }
  return before;
}
