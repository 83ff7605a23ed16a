/**
 * `cluster.yaml`: every key with what it means, where it is defined. `init` prints these very descriptions.
 *
 * What holds between keys is in `cross-checks.ts`, so that it is told together with what is wrong with single keys.
 */

import { z } from 'zod';
import { awsSchema } from '../providers/aws/settings.ts';
import { sshSchema, type SshSettings } from '../providers/ssh/ssh-settings.ts';

const count = (min: number, max: number, value: number): z.ZodDefault<z.ZodInt> =>
  z.int().min(min).max(max).default(value);
const ipv4 = z.ipv4('expected an IPv4 address');

/** How many masters a cluster may have: more than nine only slow one another down. */
export const MASTER_COUNTS = [1, 3, 5, 7, 9];

export const PROVIDERS = ['docker', 'ssh', 'aws'] as const;
export type ProviderName = (typeof PROVIDERS)[number];

/** What hosts of the provider docker are made from; see infra/docker. The number is that of the file's changes. */
export const HOST_IMAGE = 'dcos-host:4';

const dockerSchema = z.strictObject({
  masters: count(1, 9, 1).describe('How many masters: 1, 3, 5, 7 or 9.'),
  privateAgents: count(0, 110, 2).describe('How many private agents, which run apps.'),
  publicAgents: count(0, 110, 1).describe('How many public agents, for apps that ask for them.'),
  image: z
    .string()
    .min(1)
    .default(HOST_IMAGE)
    .describe(
      `Image that hosts are made from. ${HOST_IMAGE} is built where it is missing; another one must be there.`,
    ),
  baseImage: z
    .string()
    .min(1)
    .default('debian:bookworm-slim')
    .describe('What the image of hosts is built from: Debian 12. Fetched where it is missing.'),
  uiPort: z
    .int()
    .min(1)
    .max(65_535)
    .optional()
    .describe(
      'Port of 127.0.0.1 at which the first router is; further masters have the next ones. Without it, the first that is free from 8180 on.',
    ),
  outbound: z
    .boolean()
    .default(true)
    .describe('Whether hosts reach what is outside of this machine.'),
});

const hostsSchema = z.strictObject({
  masters: z.array(ipv4).max(9).default([]).describe('Addresses of masters: 1, 3, 5, 7 or 9.'),
  privateAgents: z.array(ipv4).max(10_000).default([]).describe('Addresses of private agents.'),
  publicAgents: z.array(ipv4).max(10_000).default([]).describe('Addresses of public agents.'),
});

/** `host` or `host:port`, of IPv4. */
const resolver = z
  .string()
  .regex(
    /^(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}(:\d{1,5})?$/,
    'expected an IPv4 address, with or without :port',
  );
/** A name, perhaps with a role, and a number, ranges or a set. */
const RESOURCE = String.raw`[\w-]+(\([^)]+\))?:(\d+(\.\d+)?|\[\s*\d+-\d+(\s*,\s*\d+-\d+)*\s*\]|\{[^}]*\})`;
const resources = z
  .string()
  .regex(
    new RegExp(`^${RESOURCE}(;${RESOURCE})*$`),
    'expected name:value;name:value, such as cpus:4;mem:8192;ports:[31000-32000]',
  );

export const clusterSchema = z.strictObject({
  name: z
    .string()
    .regex(
      /^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$/,
      'expected at most 30 small letters, digits and hyphens, a letter first',
    )
    .default('dcos')
    .describe('Name of the cluster.'),
  provider: z
    .enum(PROVIDERS)
    .describe(
      'Where hosts come from: docker, containers of this machine; ssh, hosts that are there; aws, EC2.',
    ),
  docker: dockerSchema.optional().describe('Settings of the provider docker.'),
  ssh: sshSchema.optional().describe('Settings of the provider ssh.'),
  aws: awsSchema.optional().describe('Settings of the provider aws.'),
  hosts: hostsSchema.optional().describe('Hosts of the provider ssh.'),
  resolvers: z
    .array(resolver)
    .max(16)
    .default([])
    .describe(
      'Name servers for names that are not of the cluster; without any, such names are refused.',
    ),
  dnsTtlSeconds: count(0, 86_400, 60).describe('How long answers of Mesos-DNS may be kept.'),
  zooKeeperSessionTimeoutMs: count(2_000, 60_000, 10_000).describe(
    'How long a master that is frozen or cut off leads on at most.',
  ),
  tls: z
    .boolean()
    .optional()
    .describe(
      'Whether everything speaks TLS, with certificates of an authority of its own that the cluster gets; true unless the provider is docker. Frameworks that know no TLS need false. A cluster that is there cannot be switched.',
    ),
  privateAgentResources: resources
    .optional()
    .describe('What a private agent offers, as name:value;…; what is not named is found out.'),
  publicAgentResources: resources
    .optional()
    .describe('What a public agent offers; its role is slave_public.'),
});

/** On a laptop browsers would warn of an authority that they do not know. */
export function speaksTls({ provider, tls }: Pick<ClusterDocument, 'provider' | 'tls'>): boolean {
  return tls ?? provider !== 'docker';
}

export type ClusterDocument = z.infer<typeof clusterSchema>;
export const dockerDefaults = (): z.infer<typeof dockerSchema> => dockerSchema.parse({});
export type DockerDocument = z.infer<typeof dockerSchema>;
export const sshDefaults = (): SshSettings => sshSchema.parse({});
export const noHosts = (): z.infer<typeof hostsSchema> => hostsSchema.parse({});
