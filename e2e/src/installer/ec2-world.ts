/**
 * EC2 in the small, for the installer: moto in its place, a gate before it that counts calls and ends who makes them, and
 * a host with systemd for each instance that runs. All on loopback, and on one network of its own.
 */

import { EC2Client } from '@aws-sdk/client-ec2';
import { dockerImage, motoServer, startMotoServer, type MotoServer } from '@dcos/testkit';
import { HOST_IMAGE, removeOrphans } from '../engine.ts';
import { HostNetwork } from '../host-network.ts';
import { BootedInstances } from './booted-instances.ts';
import { Ec2Gate } from './ec2-gate.ts';

const facilities = [dockerImage(HOST_IMAGE), motoServer()];
export const isEc2WorldAvailable = facilities.every(({ available }) => available);
export const ec2WorldNote = facilities.map((facility) => facility.note).join('');

const REGION = 'eu-central-1';
const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' };
/** What agents say that they have: hosts of tests share the machine. */
export const AGENT_RESOURCES = 'cpus:2;mem:1024;disk:1024;ports:[31000-31999]';

interface Parts {
  readonly network: HostNetwork;
  readonly moto: MotoServer;
  readonly gate: Ec2Gate;
  readonly ec2: EC2Client;
  readonly instances: BootedInstances;
}

export class Ec2World {
  readonly network: HostNetwork;
  readonly moto: MotoServer;
  readonly gate: Ec2Gate;
  /** Asks past the gate. */
  readonly ec2: EC2Client;
  readonly instances: BootedInstances;
  readonly #opened: AsyncDisposableStack;

  private constructor(
    { network, moto, gate, ec2, instances }: Parts,
    opened: AsyncDisposableStack,
  ) {
    this.network = network;
    this.moto = moto;
    this.gate = gate;
    this.ec2 = ec2;
    this.instances = instances;
    this.#opened = opened;
  }

  /** @param name of its network. */
  static async open(name: string): Promise<Ec2World> {
    await removeOrphans();
    await using opening = new AsyncDisposableStack();
    const network = await HostNetwork.create(name);
    opening.defer(async () => await network.isRemoved());
    const moto = await startMotoServer();
    opening.defer(async () => await moto.close());
    const gate = await Ec2Gate.open(moto.endpoint);
    opening.defer(async () => await gate.close());
    const ec2 = new EC2Client({
      region: REGION,
      endpoint: moto.endpoint,
      credentials: CREDENTIALS,
    });
    opening.defer(() => ec2.destroy());
    const instances = new BootedInstances(ec2, network);
    opening.defer(async () => await instances.close());
    return new Ec2World({ network, moto, gate, ec2, instances }, opening.move());
  }

  /** Variables of an installer that works here, behind the gate. */
  get environment(): Readonly<Record<string, string>> {
    return {
      AWS_ENDPOINT_URL_EC2: this.gate.endpoint,
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      AWS_EC2_METADATA_DISABLED: 'true',
    };
  }

  /** Settings of the provider that are the same for every cluster here. */
  get settings(): object {
    return {
      region: REGION,
      vpc: { cidr: this.network.range },
      adminLocations: ['203.0.113.0/24'],
      // One of those that moto knows.
      image: { owner: 'amazon', name: 'amzn2-ami-hvm-2*', user: 'root' },
      connectTo: 'private',
    };
  }

  async close(): Promise<void> {
    await this.#opened.disposeAsync();
  }
}
