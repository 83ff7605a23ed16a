/**
 * From what is wanted and what is there to the steps between them. A step says what it waits for, so that steps of
 * different hosts go on side by side. Nothing is done twice: where all is as wanted, the plan is empty.
 *
 * Order: each host gets packages, release, files, then its units. Where nothing runs yet, every kind of unit waits until
 * the kinds that it stands on are ready on all masters: ZooKeeper, then masters, then the rest, side by side. Hosts
 * on which something that runs has to start again do so in rounds: one master, the leading one last, so that its work
 * moves once; where ZooKeeper starts again, the one last whose server leads, since whoever is left without a leader of it
 * serves nobody until one is elected; then agents, a few at a time. Between two rounds the cluster has to be whole again.
 * Packages and the release are on all hosts by then, so that rounds are short.
 */

import { fileState, type HostFacts } from './host-facts.ts';
import type { HostPlace } from './cluster.ts';
import { missingPackages } from './java-package.ts';
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
  | (StepBase & { readonly kind: 'stop'; readonly unit: string })
  /** Removes releases that nothing will go back to. */
  | (StepBase & { readonly kind: 'tidy'; readonly releases: readonly string[] })
  /** Takes a host back to the release before, with the configuration that it had then. */
  | (StepBase & {
      readonly kind: 'back';
      readonly release: string;
      readonly units: readonly WantedUnit[];
    })
  /** The cluster is whole, and what was started again stays up; asked on a master. */
  | (StepBase & { readonly kind: 'gate'; readonly watched: readonly string[] });

/** A step that one host does. */
export type HostStep = Exclude<Step, { readonly kind: 'gate' }>;

export interface HostState {
  readonly wanted: WantedHost;
  readonly facts: HostFacts;
}

/** How many agents are away at the same time, so that the masters see few come and go. */
export const AGENTS_AT_A_TIME = 10;
/** Units that all of a kind must be ready on the masters before others start, in this order. */
const GATES = ['dcos-zookeeper', 'dcos-mesos-master'];

/** Addresses of hosts, where they are known. */
export interface Leaders {
  /** Whose master leads. */
  readonly master?: string | undefined;
  /** Whose server leads the ensemble of ZooKeeper. */
  readonly zooKeeper?: string | undefined;
  /** Whose servers are of no ensemble: down, cut off, or busy beyond an answer. */
  readonly zooKeeperAway?: readonly string[] | undefined;
}

export interface Rolling {
  readonly leaders?: Leaders | undefined;
  readonly agentsAtATime?: number | undefined;
}

/** Where all of a cluster is as wanted, there are no steps. Same input, same plan. */
export function planCluster(states: readonly HostState[], rolling: Rolling = {}): readonly Step[] {
  const steps = states.flatMap(stepsOfHost);
  const restarts = steps.flatMap((step) =>
    step.kind === 'unit' && step.action === 'restart' ? step : [],
  );
  const restarting = new Set(restarts.map(({ host }) => host));
  const servers = restarts.filter(({ unit }) => unit.name === 'dcos-zookeeper');
  const hosts = states
    .map(({ wanted: { host } }) => host)
    .filter(({ name }) => restarting.has(name));
  const rounds = roundsOf(hosts, rolling, new Set(servers.map(({ host }) => host)));
  const roundOf = (host: string): number => rounds.findIndex((round) => round.includes(host));
  const ordered = steps.map((step): Step => {
    if (step.kind !== 'unit') return step;
    const gates = gatesBefore(step, steps).filter(({ host }) =>
      [-1, roundOf(step.host)].includes(roundOf(host)),
    );
    return { ...step, after: [...new Set([...step.after, ...gates.map(({ id }) => id)])] };
  });
  const isUpgrade = isOverAnother(states);
  const prepared = isUpgrade ? afterPreparation(ordered, rounds[0] ?? []) : ordered;
  return inRounds(prepared, rounds, states, isUpgrade);
}

/** Whatever a host cannot be given is known before the first one changes. */
function afterPreparation(steps: readonly Step[], round: readonly string[]): readonly Step[] {
  const preparing = steps.filter(isPreparation).map(({ id }) => id);
  return steps.map((step) =>
    round.includes(step.host) && !isPreparation(step)
      ? { ...step, after: [...new Set([...step.after, ...preparing])] }
      : step,
  );
}

function isPreparation({ kind }: Step): boolean {
  return kind === 'packages' || kind === 'release';
}

/** Whether a host that has a release gets another one. */
function isOverAnother(states: readonly HostState[]): boolean {
  return states.some(
    ({ wanted, facts }) =>
      facts.activeRelease !== undefined && facts.activeRelease !== wanted.releaseHash,
  );
}

/**
 * Masters one by one, then agents a few at a time. Leaders are the last of the masters. One without its server of ZooKeeper
 * is the first: any other that starts again before it may cost the ensemble its majority.
 * @param servers names of masters on which ZooKeeper starts again.
 */
function roundsOf(
  hosts: readonly HostPlace[],
  { leaders = {}, agentsAtATime = AGENTS_AT_A_TIME }: Rolling,
  servers: ReadonlySet<string> = new Set(),
): readonly (readonly string[])[] {
  const masters = hosts.filter(({ role }) => role === 'master');
  const agents = hosts.filter(({ role }) => role !== 'master').map(({ name }) => name);
  const weight = ({ name, address }: HostPlace): number => {
    if (leaders.zooKeeperAway?.includes(address) === true) return -1;
    if (address === leaders.zooKeeper && servers.has(name)) return 2;
    return address === leaders.master ? 1 : 0;
  };
  const inOrder = masters.toSorted((a, b) => weight(a) - weight(b));
  const rounds = inOrder.map(({ name }) => [name]);
  for (let at = 0; at < agents.length; at += agentsAtATime)
    rounds.push(agents.slice(at, at + agentsAtATime));
  return rounds;
}

/** Lets each round wait until the cluster is whole after the one before; what is only prepared waits for nothing. */
function inRounds(
  steps: readonly Step[],
  rounds: readonly (readonly string[])[],
  states: readonly HostState[],
  isWatchedToTheEnd: boolean,
): readonly Step[] {
  const result = [...steps];
  const asked = states.find(({ wanted }) => wanted.host.role === 'master')?.wanted.host.name;
  if (asked === undefined) return result;
  let gate: string | undefined;
  for (const [index, round] of rounds.entries()) {
    const own = (step: Step): boolean => step.kind !== 'gate' && round.includes(step.host);
    if (gate !== undefined) {
      for (const [at, step] of result.entries())
        if (own(step) && !isPreparation(step))
          result[at] = { ...step, after: [...step.after, gate] };
    }
    if (index === rounds.length - 1 && !isWatchedToTheEnd) break;
    gate = `${asked}/whole ${index + 1}`;
    const after = result.filter((step) => own(step) && step.kind !== 'tidy').map(({ id }) => id);
    result.push({ id: gate, host: asked, after, kind: 'gate', watched: round });
  }
  return result;
}

/** Whether a run was cut short while the host changed to another release, or back from it. */
export function isBetweenReleases({ activeRelease, formerRelease }: HostFacts): boolean {
  return formerRelease !== undefined && formerRelease === activeRelease;
}

/**
 * The hosts that go back by hand: all that can or, where a change of the release was cut short, those that it had reached.
 */
export function hostsThatGoBack<Host extends Pick<HostState, 'facts'>>(
  hosts: readonly Host[],
): readonly Host[] {
  const inUse = new Set(hosts.map(({ facts }) => facts.activeRelease));
  const able = hosts.filter(({ facts }) => facts.formerRelease !== undefined);
  if (inUse.size === 1 && !able.some(({ facts }) => isBetweenReleases(facts))) return able;
  return able.filter(({ facts }) => inUse.has(facts.formerRelease));
}

export interface RollingBack extends Rolling {
  /** Whether the cluster is whole: if not, it need not be before all are back, since any of them may be why. */
  readonly isWhole: boolean;
}

/**
 * Back to the release before, for the hosts that have one: those that do not serve first, then in rounds as always. Each
 * serves before the next one goes.
 * @param broken names of hosts of which something does not serve.
 */
export function planBack(
  states: readonly HostState[],
  broken: ReadonlySet<string>,
  rolling: RollingBack,
): readonly Step[] {
  const going = states.filter(({ facts }) => facts.formerRelease !== undefined);
  const urgent = going.filter(({ wanted }) => broken.has(wanted.host.name));
  const rest = going.filter(({ wanted }) => !broken.has(wanted.host.name));
  const rounds = [urgent, rest].flatMap((part) =>
    roundsOf(
      part.map(({ wanted }) => wanted.host),
      rolling,
    ),
  );
  const steps = going.map(({ wanted: { host, units }, facts }): Step => {
    const release = facts.formerRelease ?? '';
    const round = rounds.findIndex((names) => names.includes(host.name));
    const before = rolling.isWhole ? [] : (rounds[round - 1] ?? []);
    const after = before.map(backId);
    return { id: backId(host.name), host: host.name, after, kind: 'back', release, units };
  });
  return inRounds(steps, rolling.isWhole ? rounds : [rounds.flat()], states, true);
}

const backId = (host: string): string => `${host}/back`;

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
  const names = missingPackages(wanted.host, facts);
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
  const prepared = base('').after;
  for (const unit of wanted.units) {
    const action = actionFor(unit, facts);
    if (action === undefined) continue;
    const step = base(unit.name);
    // What runs goes away one after another; what does not run keeps nothing from others.
    add({ ...step, after: action === 'start' ? prepared : step.after, kind: 'unit', unit, action });
  }
  // The release that is in use now is the one before then.
  const former = isActive ? facts.formerRelease : facts.activeRelease;
  const releases = [...facts.releases].filter(
    (hash) => hash !== wanted.releaseHash && hash !== former,
  );
  const all = steps.map(({ id }) => id);
  if (releases.length > 0) add({ ...base('tidy'), after: all, kind: 'tidy', releases });
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
): readonly Step[] {
  const place = GATES.indexOf(step.unit.name);
  const gates = place === -1 ? GATES : GATES.slice(0, place);
  return steps.filter((other) => other.kind === 'unit' && gates.includes(other.unit.name));
}
