/** The provider `aws` as the commands know providers: changes in words, hosts with a way to reach them. */

import { join } from 'node:path';
import { OperationError, operationErrorCode } from '@dcos/base';
import type { HostPlace } from '../../core/cluster.ts';
import type { Infrastructure, Progress, Provider, ProviderChange } from '../provider.ts';
import { AwsProvider, type AwsCluster, type AwsPlan } from './aws-provider.ts';
import { actionText, markOf, type Action, type ChangeMark } from './core/action.ts';
import { actionsOf } from './core/plan.ts';
import { connectBySsh, waitUntilReachable, type Connect } from './shell/reach-hosts.ts';
import { openSdkEc2 } from './shell/sdk-ec2.ts';
import type { AwsSettings } from './settings.ts';
import type { Ec2 } from './shell/ec2.ts';
import type { RunContext } from './shell/run-context.ts';

export interface AwsInfrastructureOptions {
  readonly cluster: string;
  readonly settings: AwsSettings;
  readonly ec2: Ec2;
  readonly context: Omit<RunContext, 'onProgress'>;
  readonly privateKeyFile: string;
  readonly connect: Connect;
}

/**
 * The provider of EC2 itself, or of what `AWS_ENDPOINT_URL_EC2` points to.
 * @param options.folder where the key of the hosts, and the keys that hosts have, are kept.
 */
export async function openAwsInfrastructure({
  folder,
  ...options
}: Omit<AwsInfrastructureOptions, 'ec2' | 'connect' | 'privateKeyFile'> & {
  readonly folder: string;
}): Promise<AwsInfrastructure> {
  const ec2 = await openSdkEc2({ region: options.settings.region });
  const connect = connectBySsh(join(folder, 'known-hosts'));
  const privateKeyFile = join(folder, 'host-key');
  return new AwsInfrastructure({ ...options, ec2, connect, privateKeyFile });
}

const WORDS: Readonly<Record<ChangeMark, ProviderChange['action']>> = {
  '+': 'create',
  '~': 'change',
  '-': 'remove',
};

export class AwsInfrastructure implements Provider {
  readonly #options: AwsInfrastructureOptions;
  readonly #aws: AwsProvider;
  readonly #context: RunContext;
  #progress: Progress = () => undefined;
  #planned: AwsPlan | undefined;

  constructor(options: AwsInfrastructureOptions) {
    this.#options = options;
    const onProgress = (line: string): void => this.#progress(line);
    this.#context = { ...options.context, onProgress };
    this.#aws = new AwsProvider({ ...options, context: this.#context });
  }

  async changes(): Promise<readonly ProviderChange[]> {
    this.#planned = await inOurWords(async () => await this.#aws.plan());
    return actionsOf(this.#planned.plan).map(toChange);
  }

  /** Of the plan that `changes` told. */
  async notes(): Promise<readonly string[]> {
    const { plan, cost } = this.#planned ?? (await this.#aws.plan());
    return [...plan.notes, cost.text];
  }

  async ensure(progress: Progress): Promise<Infrastructure> {
    this.#progress = progress;
    return await inOurWords(async () => {
      const cluster = await this.#aws.deploy({ keepsLeaving: true });
      const hosts = cluster.hosts.filter(({ name }) => this.#aws.isAskedFor(name));
      await waitUntilReachable(hosts, this.#options.connect, this.#context);
      return this.#infrastructure(cluster);
    });
  }

  async existing(): Promise<Infrastructure | undefined> {
    const cluster = await inOurWords(async () => await this.#aws.existing());
    return cluster === undefined ? undefined : this.#infrastructure(cluster);
  }

  async remove(hosts: readonly HostPlace[], progress: Progress): Promise<void> {
    this.#progress = progress;
    const names = new Set(hosts.map(({ name }) => name));
    await inOurWords(async () => await this.#aws.end(names));
  }

  async destroy(progress: Progress): Promise<void> {
    this.#progress = progress;
    await inOurWords(async () => await this.#aws.destroy());
  }

  #infrastructure({ id, hosts }: AwsCluster): Infrastructure {
    const reached = hosts
      .filter((host) => host.role === 'master')
      .map((host) => host.connection.address);
    const provided = hosts.map((host) => ({
      name: host.name,
      role: host.role,
      address: host.privateAddress,
      connect: async () => await this.#options.connect(host),
    }));
    // Masters are never too many: that is refused.
    const isLeaving = ({ name, role }: HostPlace): boolean =>
      role !== 'master' && !this.#aws.isAskedFor(name);
    return {
      clusterId: id,
      hosts: provided.filter((host) => !isLeaving(host)),
      leaving: provided.filter(isLeaving),
      routerNames: reached,
      urls: reached.map((address) => `http://${address}/`),
    };
  }
}

function toChange(action: Action): ProviderChange {
  const word = action.kind === 'startInstance' ? 'start' : WORDS[markOf(action)];
  return { action: word, what: actionText(action) };
}

/** Where our codes mean what codes of all providers mean, they become those, which have exit codes. */
const COMMON_CODES: Readonly<Record<string, string>> = {
  AWS_PLAN: 'INSTALLER_CONFIGURATION',
  AWS_STOPPED: 'INSTALLER_INTERRUPTED',
};

async function inOurWords<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const code = COMMON_CODES[operationErrorCode(error) ?? ''];
    if (code === undefined || !(error instanceof OperationError)) throw error;
    throw new OperationError(code, error.message, { cause: error.cause, details: error.details });
  }
}
