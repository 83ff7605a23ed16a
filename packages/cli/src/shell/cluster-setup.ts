/**
 * `dcos cluster setup`: finds out whether an address is a cluster, who it is and whether it wants a
 * log-in, and only then writes its configuration. Requests in the order of the classic client, up to
 * the download of plug-ins: the commands of this client are built in.
 */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonObject } from '@dcos/base';
import type { JsonObject } from '@dcos/base';
import { isVersionSupported, normaliseClusterUrl, oldestVersion } from '../core/cluster-address.ts';
import { textField } from '../core/json-field.ts';
import { askTrusted } from './cluster-trust.ts';
import type { TrustFlags } from './cluster-trust.ts';
import { attachCluster, clusterDirectory, writeCluster } from './data-directory.ts';
import { cliError, orThrow } from './errors.ts';
import { HttpClient, parseReply } from './http-client.ts';
import { logIn, requiresLogIn } from './log-in.ts';
import type { LogInOptions } from './log-in.ts';
import { requestTrace, timeoutSecondsDefault } from './session.ts';
import type { Invocation } from './terminal.ts';

export interface SetupOptions extends LogInOptions, TrustFlags {
  readonly name?: string;
  readonly timeout: boolean;
}

const authoritiesFile = 'dcos_ca.crt';

interface Identity {
  readonly id: string;
  readonly name: string;
}

/** Sets up a cluster and attaches it. @throws OperationError with a code of errors.ts */
export async function setupCluster(
  invocation: Invocation,
  address: string,
  options: SetupOptions,
): Promise<void> {
  const { terminal } = invocation;
  const requested = orThrow(normaliseClusterUrl(address), 'CLI_USAGE');
  const timeoutSeconds = options.timeout ? timeoutSecondsDefault : 0;
  const settings = {
    timeoutMs: timeoutSeconds * 1000,
    environment: terminal.environment,
    trace: requestTrace(terminal, invocation.verbosity),
  };
  const contact = { url: requested, flags: options, terminal, settings };
  const { answer: url, security } = await askTrusted(contact, (client) =>
    probeRoot(client, requested),
  );
  const anonymous = new HttpClient({ ...settings, security, token: '' });
  const challenge = await requiresLogIn(anonymous, url);
  const token =
    challenge === undefined ? '' : await logIn({ terminal, client: anonymous, url, options });
  const client = new HttpClient({ ...settings, security, token });
  const identity = await identify(client, url, options.name);
  const directory = clusterDirectory(terminal, identity.id);
  const core = { dcos_acs_token: token, dcos_url: url, timeout: timeoutSeconds };
  const { authorities } = security;
  const isTls = url.startsWith('https:');
  const sslVerify =
    authorities === undefined ? String(security.verify) : join(directory, authoritiesFile);
  if (isTls && authorities !== undefined) {
    // Before the configuration, which names it.
    await mkdir(directory, { recursive: true, mode: 0o755 });
    await writeFile(sslVerify, authorities, { mode: 0o644 });
  }
  await writeCluster(terminal, identity.id, {
    cluster: { name: identity.name },
    core: isTls ? { ...core, ssl_verify: sslVerify } : core,
  });
  await attachCluster(terminal, identity.id);
  await checkVersion(client, url, invocation);
  terminal.notice(`The cluster "${identity.name}" (${url}) is set up and attached.`);
}

// The address that answers after redirects is the one to keep.
async function probeRoot(client: HttpClient, requested: string): Promise<string> {
  const reply = await client.request(`${requested}/`, {
    method: 'HEAD',
    accept: [400, 401, 403, 404, 405, 500, 501, 502, 503],
  });
  if (reply.status !== 200) {
    throw cliError(
      'CLI_BAD_REPLY',
      `${requested} is no DC/OS cluster: HEAD / answered HTTP ${reply.status} instead of 200`,
    );
  }
  return orThrow(normaliseClusterUrl(reply.url), 'CLI_BAD_REPLY');
}

async function identify(
  client: HttpClient,
  url: string,
  name: string | undefined,
): Promise<Identity> {
  const metadata = await client.json(`${url}/metadata`);
  const id = isJsonObject(metadata) ? textField(metadata, 'CLUSTER_ID') : undefined;
  if (id === undefined || id === '') {
    throw cliError(
      'CLI_BAD_REPLY',
      `${url} is no DC/OS cluster, or it is not ready: /metadata names no CLUSTER_ID`,
    );
  }
  return { id, name: name ?? (await clusterName(client, url)) ?? id };
}

// The name is a convenience: a master that has none yet is no reason to fail.
async function clusterName(client: HttpClient, url: string): Promise<string | undefined> {
  const reply = await client.request(`${url}/mesos/state-summary`, {
    accept: [401, 403, 404, 500, 502, 503, 504],
  });
  if (reply.status !== 200) return undefined;
  const summary = parseReply(reply, 'GET');
  const name = isJsonObject(summary) ? textField(summary, 'cluster') : undefined;
  return name === '' ? undefined : name;
}

async function checkVersion(
  client: HttpClient,
  url: string,
  { terminal }: Invocation,
): Promise<void> {
  const document = await client.json(`${url}/dcos-metadata/dcos-version.json`);
  const metadata: JsonObject = isJsonObject(document) ? document : {};
  const version = textField(metadata, 'version') ?? '';
  const supported = isVersionSupported(version);
  if (supported === undefined) {
    terminal.notice(`Warning: the version "${version}" of the cluster is not understood.`);
  } else if (!supported) {
    throw cliError(
      'CLI_BAD_REPLY',
      `the cluster has version ${version}, this command needs ${oldestVersion} or newer`,
    );
  }
}
