/**
 * Attaches containers to networks by CNI plug-ins: programs that get their task as environment and JSON, and answer
 * with the addresses. What was attached is written down before it is begun, so that it can be undone after a crash.
 * Source: the CNI specification, version 0.4; mesos-kernel §6.6 (network/cni).
 */

import { spawn } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText, type Logger } from '@dcos/base';
import { dnsOf, type DnsDefault } from '../container-dns.ts';
import { containerError } from '../errors.ts';
import { readText } from '../process/state-files.ts';
import { TOOL_ENVIRONMENT } from './conmon.ts';
import { dropNamespace, keepNamespace, keptNamespace } from './network-namespace.ts';
import { BRIDGE_NETWORK, type WantedNetwork } from './networks.ts';

/** How long a plug-in may take on a busy host. */
const PLUGIN_TIMEOUT_MS = 60_000;
const OUTPUT_BYTES_MAX = 256 * 1024;
/** Files of a configuration directory that describe networks. */
const CONFIG_FILE = /\.(conf|conflist|json|cni)$/;
const CONFIG_FILES_MAX = 200;
const ATTACHMENTS_FILE = 'networks.json';
const SPEC_VERSION = '0.4.0';

export interface CniOptions {
  /** Undefined where the operator has none: then there is the bridge only. */
  readonly configDir: string | undefined;
  readonly pluginsDir: string;
  /** Address of the host that mapped ports are on. */
  readonly hostIp: string;
  /** Of networks whose plug-ins say nothing about names. */
  readonly dns?: readonly DnsDefault[];
  readonly logger: Logger;
}

type Json = Readonly<Record<string, unknown>>;

export interface CniNetwork {
  readonly name: string;
  readonly cniVersion: string;
  readonly plugins: readonly Json[];
}

/** A network that a container has, or was about to have. */
interface Attachment {
  readonly network: CniNetwork;
  readonly wanted: WantedNetwork;
}

export interface AttachedNetwork {
  readonly name: string;
  readonly ipAddresses: readonly string[];
  /** Name servers and the like that the network brings, as lines of `resolv.conf`. */
  readonly resolver: readonly string[];
}

export interface CniTarget {
  readonly containerId: string;
  /** The container's directory. */
  readonly directory: string;
}

/** The bridge that is there without any configuration. Private addresses that the original's distribution used. */
const BRIDGE: CniNetwork = {
  name: BRIDGE_NETWORK,
  cniVersion: SPEC_VERSION,
  plugins: [
    {
      type: 'bridge',
      bridge: 'm-dcos',
      isGateway: true,
      ipMasq: true,
      hairpinMode: true,
      ipam: {
        type: 'host-local',
        ranges: [[{ subnet: '172.31.254.0/24' }]],
        routes: [{ dst: '0.0.0.0/0' }],
      },
    },
    { type: 'portmap', capabilities: { portMappings: true }, snat: true },
    { type: 'firewall' },
  ],
};

const LOOPBACK: Attachment = {
  network: { name: 'lo', cniVersion: SPEC_VERSION, plugins: [{ type: 'loopback' }] },
  wanted: { name: 'lo', interfaceName: 'lo', ports: [] },
};

/** Finds the networks by name. Throws CONTAINER_INVALID with the names that there are. */
export async function findNetworks(
  wanted: readonly WantedNetwork[],
  options: CniOptions,
): Promise<readonly CniNetwork[]> {
  const known = new Map([[BRIDGE.name, BRIDGE]]);
  for (const network of await configured(options)) known.set(network.name, network);
  return wanted.map(({ name }) => {
    const network = known.get(name);
    if (network !== undefined) return network;
    const names = [...known.keys()].toSorted().join(', ');
    throw containerError('CONTAINER_INVALID', `unknown network '${name}': there are ${names}`);
  });
}

async function configured({ configDir, logger }: CniOptions): Promise<readonly CniNetwork[]> {
  if (configDir === undefined) return [];
  const found: CniNetwork[] = [];
  const names = (await readdir(configDir)).filter((name) => CONFIG_FILE.test(name)).toSorted();
  for (const name of names.slice(0, CONFIG_FILES_MAX)) {
    try {
      found.push(networkOf(await readFile(join(configDir, name), 'utf8')));
    } catch (error) {
      // One bad file must not take the other networks away.
      logger.warn(
        { event: 'cni.config', file: name, error: errorText(error) },
        'cannot read the description of a network',
      );
    }
  }
  return found;
}

/** Reads a description: a list of plug-ins, or a single one. Throws for text that is neither. */
export function networkOf(text: string): CniNetwork {
  const config = JSON.parse(text) as Json;
  const { name, cniVersion = '0.1.0', plugins } = config;
  if (typeof name !== 'string' || name === '') throw new Error('the network has no name');
  if (typeof cniVersion !== 'string') throw new Error('cniVersion is no text');
  const list = Array.isArray(plugins) ? (plugins as readonly Json[]) : [config];
  if (list.length === 0 || !list.every(({ type }) => isProgramName(type)))
    throw new Error('each plug-in needs a type, which names a program');
  return { name, cniVersion, plugins: list };
}

const isProgramName = (type: unknown): boolean =>
  typeof type === 'string' && /^[A-Za-z0-9][\w.-]*$/.test(type);

/** Attaches the network namespace of a process. Throws CONTAINER_LAUNCH_FAILED with the plug-in's words. */
export async function attachNetworks(
  target: CniTarget & { readonly pid: number },
  wanted: readonly WantedNetwork[],
  options: CniOptions,
): Promise<readonly AttachedNetwork[]> {
  const networks = await findNetworks(wanted, options);
  const attachments = wanted.flatMap((one, index): readonly Attachment[] => {
    const network = networks[index];
    return network === undefined ? [] : [{ network, wanted: one }];
  });
  await writeFile(join(target.directory, ATTACHMENTS_FILE), JSON.stringify(attachments));
  const namespace = await keepNamespace(target.directory, target.pid);
  await add(LOOPBACK, target, namespace, options);
  const attached: AttachedNetwork[] = [];
  for (const attachment of attachments) {
    const result = await add(attachment, target, namespace, options);
    attached.push({
      name: attachment.network.name,
      ipAddresses: addressesOf(result),
      resolver: resolverFor(attachment.network.name, result, options),
    });
  }
  return attached;
}

async function add(
  attachment: Attachment,
  target: CniTarget,
  namespace: string,
  options: CniOptions,
): Promise<Json> {
  let previous: Json | undefined;
  for (const plugin of attachment.network.plugins) {
    const input = pluginInput(attachment, plugin, previous, options);
    const said = await runPlugin('ADD', input, attachment, target, namespace, options);
    previous = JSON.parse(said) as Json;
  }
  return previous ?? {};
}

/** Undoes what was attached or begun, in reverse. The namespace is gone after a reboot. Failures are told to the log only. */
export async function detachNetworks(target: CniTarget, options: CniOptions): Promise<void> {
  const text = await readText(join(target.directory, ATTACHMENTS_FILE));
  if (text === '') return;
  const attachments = JSON.parse(text) as readonly Attachment[];
  const namespace = (await keptNamespace(target.directory)) ?? '';
  for (const attachment of attachments.toReversed()) {
    for (const plugin of attachment.network.plugins.toReversed()) {
      try {
        const input = pluginInput(attachment, plugin, undefined, options);
        await runPlugin('DEL', input, attachment, target, namespace, options);
      } catch (error) {
        options.logger.warn(
          { event: 'cni.detach', containerId: target.containerId, error: errorText(error) },
          'a plug-in could not undo its work',
        );
      }
    }
  }
  await dropNamespace(target.directory);
}

/** What a plug-in reads: its own part, what the one before it answered, what it can do for this container. */
function pluginInput(
  { network, wanted }: Attachment,
  plugin: Json,
  previous: Json | undefined,
  { hostIp }: CniOptions,
): Json {
  const capabilities = plugin['capabilities'] as Json | undefined;
  const takesPorts = capabilities?.['portMappings'] === true && wanted.ports.length > 0;
  const { capabilities: _known, ...rest } = plugin;
  return {
    ...rest,
    name: network.name,
    cniVersion: network.cniVersion,
    ...(previous !== undefined && { prevResult: previous }),
    ...(takesPorts && {
      runtimeConfig: { portMappings: wanted.ports.map((port) => ({ ...port, hostIP: hostIp })) },
    }),
  };
}

async function runPlugin(
  command: 'ADD' | 'DEL',
  input: Json,
  { wanted }: Attachment,
  { containerId }: CniTarget,
  namespace: string,
  { pluginsDir }: CniOptions,
): Promise<string> {
  const type = String(input['type']);
  const child = spawn(join(pluginsDir, type), [], {
    env: {
      ...TOOL_ENVIRONMENT,
      CNI_COMMAND: command,
      CNI_CONTAINERID: containerId,
      CNI_NETNS: namespace,
      CNI_IFNAME: wanted.interfaceName,
      CNI_PATH: pluginsDir,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: PLUGIN_TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  const fail = (why: string, cause?: unknown): Error =>
    containerError('CONTAINER_LAUNCH_FAILED', `network '${wanted.name}': ${type}: ${why}`, cause);
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].on('data', (chunk: Buffer) => {
      said[stream] = (said[stream] + chunk.toString('utf8')).slice(0, OUTPUT_BYTES_MAX);
    });
  child.once('error', (error) =>
    reject(fail('cannot be started (apt-get install containernetworking-plugins)', error)),
  );
  child.once('close', resolve);
  // One that ends without reading says so by its status.
  child.stdin.on('error', () => undefined);
  child.stdin.end(JSON.stringify(input));
  const code = await promise;
  if (code !== 0) throw fail(messageIn(said.stdout) ?? `${said.stderr.trim()} (status ${code})`);
  return said.stdout;
}

function messageIn(text: string): string | undefined {
  try {
    const { msg, details } = JSON.parse(text) as {
      readonly msg?: string;
      readonly details?: string;
    };
    return details === undefined || details === '' ? msg : `${msg}: ${details}`;
  } catch {
    return undefined;
  }
}

/** What the plug-ins say, else the operator's default for the network. */
function resolverFor(network: string, result: Json, { dns = [] }: CniOptions): readonly string[] {
  const told = resolverOf(result);
  return told.length > 0 ? told : resolverOf({ dns: dnsOf(dns, 'CNI', network) });
}

/** Lines of `resolv.conf` for what an answer says about names. */
export function resolverOf({ dns }: Json): readonly string[] {
  const {
    nameservers = [],
    domain,
    search = [],
    options = [],
  } = (dns ?? {}) as {
    readonly nameservers?: readonly string[];
    readonly domain?: string;
    readonly search?: readonly string[];
    readonly options?: readonly string[];
  };
  return [
    ...(domain === undefined || domain === '' ? [] : [`domain ${domain}`]),
    ...(search.length > 0 ? [`search ${search.join(' ')}`] : []),
    ...nameservers.map((address) => `nameserver ${address}`),
    ...(options.length > 0 ? [`options ${options.join(' ')}`] : []),
  ];
}

/** Addresses without their prefix lengths, of either form that answers have. */
export function addressesOf(result: Json): readonly string[] {
  const { ips, ip4, ip6 } = result as {
    readonly ips?: readonly { readonly address?: string }[];
    readonly ip4?: { readonly ip?: string };
    readonly ip6?: { readonly ip?: string };
  };
  const all = [...(ips ?? []).map(({ address }) => address), ip4?.ip, ip6?.ip];
  return all.flatMap((address) => address?.split('/')[0] ?? []);
}
