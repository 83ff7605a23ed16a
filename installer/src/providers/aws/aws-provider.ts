/**
 * The provider `aws`: makes, finds and removes the hosts of a cluster in EC2. State is in EC2's tags: every run looks at
 * what is there, plans, and carries the plan out, until there is nothing left to do. A run that was killed at any point is
 * followed by one that goes on.
 */

import { randomUUID } from 'node:crypto';
import { assert } from '@dcos/base';
import { actionsOf, planDeploy, planDestroy, type Plan } from './core/plan.ts';
import { planEnd, withLeaving } from './core/leaving.ts';
import { isLive, isNothing, type Found, type FoundInstance } from './core/found.ts';
import { withMasterAddresses } from './core/master-addresses.ts';
import { isClusterName, TAG_CLUSTER_ID } from './core/names.ts';
import { estimateCost, type CostEstimate } from './core/prices.ts';
import { backoffMs, NOT_FOUND_LIMITS, type BackoffLimits } from './core/backoff.ts';
import { HOST_ROLES, type HostRole, type Wanted } from './core/wanted.ts';
import { awsError } from './errors.ts';
import type { AwsSettings } from './settings.ts';
import type { Ec2 } from './shell/ec2.ts';
import { execute } from './shell/execute.ts';
import { isStale } from './shell/create-instance.ts';
import { lookUpWanted } from './shell/look-up-wanted.ts';
import { observe } from './shell/observe.ts';
import { retryingEc2 } from './shell/retrying-ec2.ts';
import { pause, type RunContext } from './shell/run-context.ts';

/** A run looks, plans and acts at most this often; once and a look is usual. */
const DEPLOY_ROUNDS_MAX = 12;
/** Hosts take minutes to let go of what they use. */
const DESTROY_ROUNDS_MAX = 40;
const ROUND_LIMITS: BackoffLimits = { baseMs: 2_000, capMs: 15_000, attemptsMax: 0 };
/** Nothing has to be seen this often before it is believed: what was just made may not be shown yet. */
const EMPTY_LOOKS = 2;

export interface AwsHost {
  /** Such as `private-2`; unique in the cluster. */
  readonly name: string;
  readonly role: HostRole;
  readonly instanceId: string;
  readonly region: string;
  readonly zone: string;
  /** At which the other hosts reach it; fixed for the life of the host. */
  readonly privateAddress: string;
  readonly publicAddress?: string;
  /** Where and as whom the installer connects. */
  readonly connection: {
    readonly address: string;
    readonly port: number;
    readonly user: string;
    readonly privateKeyFile: string;
  };
}

export interface AwsPlan {
  readonly plan: Plan;
  readonly cost: CostEstimate;
}

export interface AwsCluster {
  /** A UUID. */
  readonly id: string;
  readonly hosts: readonly AwsHost[];
}

export interface AwsProviderOptions {
  readonly cluster: string;
  readonly settings: AwsSettings;
  readonly ec2: Ec2;
  readonly context: RunContext;
  /** Where the private key is kept when it is made here. */
  readonly privateKeyFile: string;
}

const SSH_PORT = 22;

export class AwsProvider {
  readonly #options: AwsProviderOptions;
  readonly #ec2: Ec2;

  constructor(options: AwsProviderOptions) {
    assert(isClusterName(options.cluster), `${options.cluster} cannot be part of names in EC2`);
    this.#options = options;
    this.#ec2 = retryingEc2(options.ec2, options.context);
  }

  /**
   * What `deploy` would change, and what the whole would cost. Changes nothing.
   * @throws OperationError `AWS_PLAN`, `AWS_NOT_OFFERED`, `AWS_KEY`, `AWS_REFUSED`
   */
  async plan(): Promise<AwsPlan> {
    const found = await this.#observe();
    const wanted = await this.#wanted(found, { mayMakeKey: false });
    return { plan: planOrThrow(wanted, found), cost: estimateCost(wanted) };
  }

  /** What `destroy` would remove. Changes nothing. */
  async planDestroy(): Promise<Plan> {
    return planDestroy(await this.#observe());
  }

  /**
   * Gives the cluster what is wanted; the hosts run when it ends.
   * @param options.keepsLeaving agents that are more than is asked for stay: `end` ends them.
   * @throws OperationError with the codes of `plan`, and `AWS_NO_CAPACITY`, `AWS_HOST_FAILED`, `AWS_NOT_CONVERGED`,
   * `AWS_STOPPED`
   */
  async deploy({ keepsLeaving = false } = {}): Promise<AwsCluster> {
    const made = new Set<string>();
    let last: unknown;
    for (let round = 1; round <= DEPLOY_ROUNDS_MAX; round++) {
      const found = await this.#observeAll(made);
      const asked = await this.#wanted(found, { mayMakeKey: true });
      const wanted = keepsLeaving ? withLeaving(asked, found) : asked;
      const plan = planOrThrow(wanted, found);
      if (actionsOf(plan).length === 0) return this.#cluster(found, wanted);
      try {
        await this.#execute(plan, wanted, made);
      } catch (error) {
        if (!isStale(error) && !isUnclear(error)) throw error;
        last = error;
        await this.#pauseRound(round);
      }
    }
    throw awsError(
      'AWS_NOT_CONVERGED',
      'EC2 does not show what was made; run it again, and look at what carries the tag of the cluster',
      { cause: last },
    );
  }

  /**
   * Ends hosts by their names; may be repeated. An elastic address of one that is still asked for stays.
   * @throws OperationError `AWS_REFUSED`, `AWS_NOT_CONVERGED`, `AWS_STOPPED`
   */
  async end(names: ReadonlySet<string>): Promise<void> {
    const asked = new Set([...names].filter((name) => this.isAskedFor(name)));
    for (let round = 1; round <= DESTROY_ROUNDS_MAX; round++) {
      const stages = planEnd(await this.#observe(), names, asked);
      if (stages.length === 0) return;
      await this.#execute({ stages, ids: new Map(), notes: [] }, { tags: {} }, new Set());
    }
    throw awsError('AWS_NOT_CONVERGED', `EC2 does not end ${[...names].join(', ')}; run it again`);
  }

  /** Whether the settings ask for a host of that name. */
  isAskedFor(name: string): boolean {
    const { masters, privateAgents, publicAgents } = this.#options.settings;
    const counts = {
      master: masters.count,
      private: privateAgents.count,
      public: publicAgents.count,
    };
    const [, role = '', ordinal = ''] = /^([a-z]+)-(\d+)$/.exec(name) ?? [];
    return Number(ordinal) <= (counts[role as HostRole] ?? 0);
  }

  /** What is there, perhaps without any hosts yet; undefined when there is nothing. */
  async existing(): Promise<AwsCluster | undefined> {
    const found = await this.#observe();
    if (isNothing(found)) return undefined;
    return { id: clusterIdOf(found) ?? '', hosts: this.#hosts(found) };
  }

  /**
   * Removes all that carries the cluster's tag, and nothing else; may be repeated. The private key's file stays.
   * @throws OperationError `AWS_REFUSED`, `AWS_NOT_CONVERGED`, `AWS_STOPPED`
   */
  async destroy(): Promise<void> {
    let found = await this.#observe();
    let empty = 0;
    for (let round = 1; round <= DESTROY_ROUNDS_MAX; round++) {
      empty = isNothing(found) ? empty + 1 : 0;
      if (empty >= EMPTY_LOOKS) return;
      const plan = planDestroy(found);
      if (actionsOf(plan).length === 0) await this.#pauseRound(1);
      else await this.#execute(plan, { tags: {} }, new Set());
      found = await this.#observe();
    }
    const live = {
      ...found,
      instances: found.instances.filter((one) => one.state !== 'terminated'),
    };
    const left = idsOf(live);
    throw awsError('AWS_NOT_CONVERGED', `still there: ${left.join(', ')}`, { details: { left } });
  }

  async #observe(): Promise<Found> {
    return await observe(this.#ec2, this.#options.cluster);
  }

  /** Looks until all that this run made is shown: planning on less would make it once more. */
  async #observeAll(made: Set<string>): Promise<Found> {
    for (let attempt = 1; ; attempt++) {
      const found = await this.#observe();
      const shown = new Set(idsOf(found));
      const hidden = [...made].filter((id) => !shown.has(id));
      if (hidden.length === 0) return found;
      if (attempt >= NOT_FOUND_LIMITS.attemptsMax) {
        // Somebody removed it: then it is made again.
        for (const id of hidden) made.delete(id);
        return found;
      }
      const { context } = this.#options;
      context.onProgress(`waiting until EC2 shows ${hidden.join(', ')}`);
      await pause(backoffMs(attempt, NOT_FOUND_LIMITS, context.random), context);
    }
  }

  async #wanted(found: Found, { mayMakeKey }: { readonly mayMakeKey: boolean }): Promise<Wanted> {
    const { cluster, settings, privateKeyFile } = this.#options;
    const wanted = await lookUpWanted({
      ec2: this.#ec2,
      cluster,
      settings,
      found,
      privateKeyFile,
      mayMakeKey,
      clusterId: clusterIdOf(found) ?? (mayMakeKey ? randomUUID() : undefined),
    });
    return withMasterAddresses(wanted, found);
  }

  async #execute(plan: Plan, { tags }: Pick<Wanted, 'tags'>, made: Set<string>): Promise<void> {
    const { cluster, context } = this.#options;
    await execute(plan, { ec2: this.#ec2, context, cluster, tags, made });
  }

  async #pauseRound(round: number): Promise<void> {
    const { context } = this.#options;
    await pause(backoffMs(round, ROUND_LIMITS, context.random), context);
  }

  #cluster(found: Found, wanted: Wanted): AwsCluster {
    return { id: wanted.tags[TAG_CLUSTER_ID] ?? '', hosts: this.#hosts(found) };
  }

  #hosts(found: Found): readonly AwsHost[] {
    const order = ({ role, name }: AwsHost): number =>
      HOST_ROLES.indexOf(role) * 10_000 + Number(/\d+$/.exec(name)?.[0] ?? 0);
    return found.instances
      .filter(isLive)
      .flatMap((instance) => this.#host(instance))
      .toSorted((one, other) => order(one) - order(other));
  }

  #host(instance: FoundInstance): readonly AwsHost[] {
    const { settings, privateKeyFile } = this.#options;
    const { name, role, id, zone, privateAddress, publicAddress } = instance;
    if (role === undefined || privateAddress === undefined) return [];
    const address = settings.connectTo === 'public' ? publicAddress : privateAddress;
    return [
      {
        name,
        role,
        instanceId: id,
        region: settings.region,
        zone,
        privateAddress,
        ...(publicAddress !== undefined && { publicAddress }),
        connection: {
          address: address ?? privateAddress,
          port: SSH_PORT,
          user: settings.image.user,
          privateKeyFile: settings.keyPair?.privateKeyFile ?? privateKeyFile,
        },
      },
    ];
  }
}

/** The cluster's UUID as the oldest of its things have it. */
function clusterIdOf(found: Found): string | undefined {
  const lists = [found.vpcs, found.groups, found.keys, found.subnets, found.instances];
  const tagged = lists.flat().find((resource) => resource.tags[TAG_CLUSTER_ID] !== undefined);
  return tagged?.tags[TAG_CLUSTER_ID];
}

function idsOf(found: Found): readonly string[] {
  const lists = Object.values(found) as readonly (readonly { readonly id: string }[])[];
  return lists.flat().map(({ id }) => id);
}

function planOrThrow(wanted: Wanted, found: Found): Plan {
  const planned = planDeploy(wanted, found);
  if (planned.ok) return planned.value;
  const lines = planned.error.map(({ key, message, remedy }) => `${key}: ${message}; ${remedy}`);
  throw awsError('AWS_PLAN', lines.join('\n'), {
    details: { problems: planned.error.map((problem) => ({ ...problem })) },
  });
}

function isUnclear(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'AWS_UNCLEAR';
}
