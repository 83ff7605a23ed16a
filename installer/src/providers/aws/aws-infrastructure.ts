/** The provider `aws` as the commands know providers: changes in words, hosts with a way to reach them. */

import { OperationError, operationErrorCode } from '@dcos/base';
import type { HostConnection } from '../../hosts/connection.ts';
import type { Infrastructure, Progress, Provider, ProviderChange } from '../provider.ts';
import { AwsProvider, type AwsCluster, type AwsHost, type AwsPlan } from './aws-provider.ts';
import { actionText, markOf, type Action, type ChangeMark } from './core/action.ts';
import { actionsOf } from './core/plan.ts';
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
  /** How a host is reached; undefined where nobody can, and then no hosts are made that would only cost. */
  readonly connect: ((host: AwsHost) => Promise<HostConnection>) | undefined;
}

/** The provider of EC2 itself, or of what `AWS_ENDPOINT_URL_EC2` points to. */
export async function openAwsInfrastructure(
  options: Omit<AwsInfrastructureOptions, 'ec2'>,
): Promise<AwsInfrastructure> {
  const ec2 = await openSdkEc2({ region: options.settings.region });
  return new AwsInfrastructure({ ...options, ec2 });
}

const WORDS: Readonly<Record<ChangeMark, ProviderChange['action']>> = {
  '+': 'create',
  '~': 'change',
  '-': 'remove',
};

export class AwsInfrastructure implements Provider {
  readonly #options: AwsInfrastructureOptions;
  readonly #aws: AwsProvider;
  #progress: Progress = () => undefined;
  #planned: AwsPlan | undefined;

  constructor(options: AwsInfrastructureOptions) {
    this.#options = options;
    const onProgress = (line: string): void => this.#progress(line);
    this.#aws = new AwsProvider({ ...options, context: { ...options.context, onProgress } });
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
    if (this.#options.connect === undefined) {
      throw new OperationError(
        'INSTALLER_NOT_THERE_YET',
        'hosts in AWS are reached by SSH, which is not there yet in this version; nothing was made. ' +
          '"plan" tells what would be, "destroy" removes what is there',
      );
    }
    this.#progress = progress;
    return this.#infrastructure(await inOurWords(async () => await this.#aws.deploy()));
  }

  async existing(): Promise<Infrastructure | undefined> {
    const cluster = await inOurWords(async () => await this.#aws.existing());
    return cluster === undefined ? undefined : this.#infrastructure(cluster);
  }

  async destroy(progress: Progress): Promise<void> {
    this.#progress = progress;
    await inOurWords(async () => await this.#aws.destroy());
  }

  #infrastructure({ id, hosts }: AwsCluster): Infrastructure {
    const reached = hosts
      .filter((host) => host.role === 'master')
      .map((host) => host.connection.address);
    return {
      clusterId: id,
      hosts: hosts.map((host) => ({
        name: host.name,
        role: host.role,
        address: host.privateAddress,
        connect: async () => await this.#connect(host),
      })),
      routerNames: reached,
      urls: reached.map((address) => `http://${address}/`),
    };
  }

  async #connect(host: AwsHost): Promise<HostConnection> {
    const { connect } = this.#options;
    if (connect !== undefined) return await connect(host);
    throw new OperationError(
      'INSTALLER_NOT_THERE_YET',
      `${host.name} is reached by SSH, which is not there yet in this version`,
    );
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
