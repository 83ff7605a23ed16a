/**
 * The part `aws` of `cluster.yaml`: every key with what it means, where it is defined. What is unsafe has to be asked for
 * in so many words: nothing is open to the world, no disk is unencrypted by leaving something out.
 */

import { z } from 'zod';
import { parseCidr } from './core/cidr.ts';
import { parsePorts } from './core/ports.ts';

/** What EC2 takes, before it is encoded. */
export const USER_DATA_BYTES_MAX = 16 * 1024;
const TAGS_MAX = 40;
/** Debian's own account, from which its images are. */
const DEBIAN_OWNER = '136693071363';
/** A location that is larger than a 256th of the Internet is more than a location. */
const LOCATION_PREFIX_MIN = 8;
const INSTANCES_PER_ROLE_MAX = 999;

const cidr = z
  .string()
  .refine((text) => parseCidr(text) !== undefined, 'expected an IPv4 range such as 203.0.113.7/32');
const networkCidr = cidr.refine((text) => {
  const bits = parseCidr(text)?.prefixBits ?? 0;
  return bits >= 16 && bits <= 24;
}, 'a network has between /16 and /24');
const ports = z
  .string()
  .refine((text) => parsePorts(text) !== undefined, 'expected 80, 10000-10100 or 53/udp');
const id = (prefix: string): z.ZodString =>
  z.string().regex(new RegExp(`^${prefix}-[0-9a-f]{8,17}$`), `expected ${prefix}-…`);

const volume = z
  .strictObject({
    sizeGib: z.int().min(8).max(16_384).default(80).describe('Size in GiB.'),
    type: z
      .enum(['gp3', 'gp2', 'standard'])
      .default('gp3')
      .describe('Type of the volume; others need figures that are not asked for here.'),
    encrypted: z.boolean().default(true).describe('Whether EC2 encrypts what is on it.'),
    kmsKeyId: z
      .string()
      .min(1)
      .optional()
      .describe("Key that encrypts it; the account's own when absent."),
  })
  .refine((one) => one.encrypted || one.kmsKeyId === undefined, {
    path: ['kmsKeyId'],
    message: 'a volume that is not encrypted has no key',
  });

/** The hosts of a role; `prefault`, so that an absent part has the defaults of its keys. */
function hosts<Count extends z.ZodType>(count: Count, instanceType: string) {
  return z
    .strictObject({
      count,
      instanceType: z
        .string()
        .regex(/^[a-z][a-z0-9-]*\.[a-z0-9-]+$/, 'expected a type such as m6i.xlarge')
        .default(instanceType)
        .describe('Type of the instances.'),
      volume: volume.prefault({}).describe('Their disk.'),
      spot: z
        .boolean()
        .default(false)
        .describe('Whether EC2 may take them back at any time, for a lower price.'),
      elasticAddress: z
        .boolean()
        .default(false)
        .describe('Whether each has a public address that outlives a stop.'),
    })
    .prefault({} as never);
}

const agentCount = (value: number): z.ZodDefault<z.ZodInt> =>
  z.int().min(0).max(INSTANCES_PER_ROLE_MAX).default(value);

const ownNetwork = z.strictObject({
  cidr: networkCidr
    .default('10.0.0.0/16')
    .describe('Range of the network that is made for the cluster; it keeps it for life.'),
});
const existingNetwork = z.strictObject({
  id: id('vpc').describe('A network that is there; nothing of it is changed.'),
  subnets: z
    .array(id('subnet'))
    .min(1)
    .max(16)
    .describe(
      'Its subnets that hosts are put into, one in each zone. They need a way to packages.',
    ),
});
const image = z.union([
  z.strictObject({
    id: id('ami').describe('One image, of this region.'),
    user: z.string().min(1).describe('User to log in as; one with sudo.'),
  }),
  z.strictObject({
    owner: z
      .string()
      .regex(/^(\d{12}|self|amazon|aws-marketplace)$/, 'expected an account number, self or amazon')
      .describe('Account that the image is of: names alone can be imitated.'),
    name: z.string().min(3).describe('Name with * for any text; the newest is taken.'),
    user: z.string().min(1).describe('User to log in as; one with sudo.'),
  }),
]);
const keyPair = z.strictObject({
  name: z.string().min(1).max(255).describe('A key pair that is in EC2.'),
  privateKeyFile: z.string().min(1).describe('Where its private key is on this machine.'),
});
const tagText = (charactersMax: number): z.ZodString => z.string().min(1).max(charactersMax);

/** `aws:` */
export const awsSchema = z
  .strictObject({
    region: z
      .string()
      .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'expected a region such as eu-central-1')
      .describe('Region of EC2.'),
    vpc: z
      .union([ownNetwork, existingNetwork])
      .prefault({})
      .describe('The network: made for the cluster (cidr), or one that is there (id, subnets).'),
    zones: z
      .union([z.int().min(1).max(6), z.array(z.string().min(1)).min(1).max(6)])
      .default(3)
      .describe('How many zones hosts are spread over, or their names.'),
    masters: hosts(
      z.literal([1, 3, 5, 7, 9], 'expected 1, 3, 5, 7 or 9').default(3),
      'm6i.xlarge',
    ).describe('Masters: 1, 3, 5, 7 or 9.'),
    privateAgents: hosts(agentCount(3), 'm6i.xlarge').describe('Agents that run apps.'),
    publicAgents: hosts(agentCount(1), 'm6i.large').describe(
      'Agents that serve the world, for apps that ask for them.',
    ),
    adminLocations: z
      .array(cidr)
      .min(1, 'nobody could reach the hosts, the installer neither')
      .max(8)
      .describe('From where SSH and the web console can be reached, as ranges.'),
    allowAdminFromAnywhere: z
      .boolean()
      .default(false)
      .describe('Whether adminLocations may be as large as the Internet.'),
    publicLocations: z
      .array(cidr)
      .max(8)
      .default(['0.0.0.0/0'])
      .describe('From where public agents can be reached.'),
    publicPorts: z
      .array(ports)
      .max(8)
      .default(['80', '443', '10000-10100'])
      .describe('At which ports: 80, 10000-10100, 53/udp.'),
    image: image
      .default({ owner: DEBIAN_OWNER, name: 'debian-12-a*', user: 'admin' })
      .describe('What hosts start with: an image by id, or the newest by owner and name.'),
    keyPair: keyPair
      .optional()
      .describe('A key pair that is there; without it one is made and its private key kept here.'),
    publicAddresses: z
      .boolean()
      .default(true)
      .describe('Whether hosts have public addresses; without, the network needs another way out.'),
    connectTo: z
      .enum(['public', 'private'])
      .default('public')
      .describe('Which address of a host the installer connects to.'),
    userData: z
      .string()
      .refine(
        (text) => new TextEncoder().encode(text).length <= USER_DATA_BYTES_MAX,
        `at most ${USER_DATA_BYTES_MAX} bytes`,
      )
      .optional()
      .describe('What cloud-init of each host is given at its first start. No place for secrets.'),
    tags: z
      .record(
        tagText(128).regex(
          /^(?!aws:|dcos:|Name$)/i,
          'names with aws: and dcos:, and Name, are taken',
        ),
        z.string().max(256),
      )
      .refine((tags) => Object.keys(tags).length <= TAGS_MAX, `at most ${TAGS_MAX} tags`)
      .default({})
      .describe('Tags for all that is made.'),
  })
  // Told together with what is wrong with single keys, so that all faults are seen at once.
  .refine(hasNarrowAdminLocations, {
    path: ['adminLocations'],
    when: () => true,
    message:
      '(nearly) the whole Internet could reach SSH: name the ranges that you come from, or set allowAdminFromAnywhere',
  })
  .refine((value) => value.publicAddresses || value.connectTo !== 'public', {
    path: ['connectTo'],
    when: ({ value }) => isGroup(value) && value['publicAddresses'] === false,
    message: 'hosts without public addresses are reached by their private ones: set it to private',
  })
  .refine(({ zones }) => !Array.isArray(zones) || new Set(zones).size === zones.length, {
    path: ['zones'],
    when: ({ value }) => isGroup(value) && Array.isArray(value['zones']),
    message: 'a zone is named twice',
  });

/** Looks at what was given, whether the rest of it is right or not. */
function hasNarrowAdminLocations(value: unknown): boolean {
  if (!isGroup(value) || value['allowAdminFromAnywhere'] === true) return true;
  const locations: unknown = value['adminLocations'];
  if (!Array.isArray(locations)) return true;
  const ranges = locations.map((one) => (typeof one === 'string' ? parseCidr(one) : undefined));
  return ranges.every((range) => range === undefined || range.prefixBits >= LOCATION_PREFIX_MIN);
}

function isGroup(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** Settings with all defaults. */
export type AwsSettings = z.infer<typeof awsSchema>;
