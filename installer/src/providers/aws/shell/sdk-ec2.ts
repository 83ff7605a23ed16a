/**
 * EC2 through Amazon's SDK. It is loaded when it is needed first (it takes a third of a second), and does not repeat
 * requests: `retrying-ec2.ts` does, since it knows which of them may be repeated.
 *
 * Region and credentials as every tool of AWS has them; `AWS_ENDPOINT_URL_EC2` points to a substitute.
 */

import type { EC2Client } from '@aws-sdk/client-ec2';
import type { Ec2, Ec2Action, Ec2Calls } from './ec2.ts';

/** A request that takes longer has failed. */
const REQUEST_TIMEOUT_MS = 60_000;
const CONNECTION_TIMEOUT_MS = 10_000;

export interface SdkEc2Options {
  readonly region: string;
  /** Instead of the one of the environment or of the region. */
  readonly endpoint?: string;
  /** Instead of those of the environment, a profile or the host's role. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

interface SdkCommand {
  new (input: unknown): Parameters<EC2Client['send']>[0];
}

/** A client of a region; `close` ends its connections. */
export async function openSdkEc2(
  options: SdkEc2Options,
): Promise<Ec2 & { readonly close: () => void }> {
  const sdk = await import('@aws-sdk/client-ec2');
  const client = new sdk.EC2Client({
    ...options,
    maxAttempts: 1,
    requestHandler: {
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionTimeout: CONNECTION_TIMEOUT_MS,
    },
  });
  const commands = sdk as unknown as Readonly<Record<`${Ec2Action}Command`, SdkCommand>>;
  return {
    async call<A extends Ec2Action>(action: A, input: Ec2Calls[A][0]): Promise<Ec2Calls[A][1]> {
      const Command = commands[`${action}Command`];
      return await client.send(new Command(input));
    },
    close: () => client.destroy(),
  };
}
