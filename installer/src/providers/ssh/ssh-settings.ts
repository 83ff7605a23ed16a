/** The group `ssh` of `cluster.yaml`: how hosts that are there already are reached. */

import { z } from 'zod';

const port = z.int().min(1).max(65_535);
/** Secrets stand elsewhere: configurations are copied, shown and put under version control. */
const secret = z
  .string()
  .regex(/^(env:[A-Za-z_]\w*|file:.+)$/, 'expected env:NAME or file:PATH, not the secret itself');

const bastionSchema = z.strictObject({
  host: z.string().min(1).max(255).describe('Name or address.'),
  port: port.default(22).describe('Port of sshd.'),
  user: z.string().min(1).optional().describe('User to log in as; that of the hosts when absent.'),
  keyFile: z.string().min(1).optional().describe('Private key; that of the hosts when absent.'),
  passphrase: secret.optional().describe('Of that key, as env:NAME or file:PATH.'),
});

export const sshSchema = z.strictObject({
  user: z.string().min(1).default('root').describe('User to log in as; root, or one with sudo.'),
  port: port.default(22).describe('Port of sshd.'),
  keyFile: z
    .string()
    .min(1)
    .optional()
    .describe('Private key; without one the agent of ssh is asked, at SSH_AUTH_SOCK.'),
  passphrase: secret.optional().describe('Of the private key, as env:NAME or file:PATH.'),
  password: secret.optional().describe('Of the user, as env:NAME or file:PATH; better take keys.'),
  sudoPassword: secret
    .optional()
    .describe(
      'What sudo asks the user for, as env:NAME or file:PATH; without it, it must not ask.',
    ),
  bastions: z
    .array(bastionSchema)
    .max(4)
    .default([])
    .describe('Hosts on the way; the first one is reached from here.'),
  knownHosts: z
    .string()
    .min(1)
    .optional()
    .describe('File with the keys of hosts, as of OpenSSH; one of this cluster when absent.'),
  pinHostKeys: z
    .boolean()
    .default(true)
    .describe(
      'Whether a host that the file does not name is taken by the first key that it shows.',
    ),
  parallel: z.int().min(1).max(100).default(20).describe('Hosts at a time.'),
  connectTimeoutMs: z
    .int()
    .min(1_000)
    .max(300_000)
    .default(20_000)
    .describe('How long a host may take to let us in.'),
  keepAliveIntervalMs: z
    .int()
    .min(1_000)
    .max(300_000)
    .default(10_000)
    .describe('A host that is silent for three of these is taken for gone.'),
});

export type SshSettings = z.infer<typeof sshSchema>;
