/**
 * A command's connection to the current cluster: where its parts are, and a client with its token.
 */

import { readFile } from 'node:fs/promises';
import { chooseCurrent } from '../core/cluster-choice.ts';
import { configText, configValue, parseConfigValue } from '../core/config-document.ts';
import type { ConfigDocument } from '../core/config-document.ts';
import type { Verbosity } from '../core/global-options.ts';
import { readClusters } from './data-directory.ts';
import type { StoredCluster } from './data-directory.ts';
import { cliError, orThrow } from './errors.ts';
import { HttpClient } from './http-client.ts';
import type { TransportSecurity } from './http-transport.ts';
import type { Invocation, Terminal } from './terminal.ts';

export const timeoutSecondsDefault = 180;

export interface Session {
  readonly cluster: StoredCluster;
  readonly client: HttpClient;
  /** Base addresses without a trailing slash. */
  readonly clusterUrl: string;
  readonly mesosUrl: string;
  readonly marathonUrl: string;
}

/** Opens the current cluster. @throws OperationError CLI_NOT_CONFIGURED */
export async function openSession(invocation: Invocation): Promise<Session> {
  const { terminal } = invocation;
  const cluster = await currentCluster(terminal);
  if (cluster.url === '') {
    throw cliError(
      'CLI_NOT_CONFIGURED',
      `the cluster "${cluster.name}" has no URL. Run "dcos config set core.dcos_url <url>".`,
    );
  }
  const clusterUrl = withoutSlash(cluster.url);
  return {
    cluster,
    clusterUrl,
    mesosUrl: baseUrl(cluster.config, 'core.mesos_master_url') ?? `${clusterUrl}/mesos`,
    marathonUrl: baseUrl(cluster.config, 'marathon.url') ?? `${clusterUrl}/service/marathon`,
    client: new HttpClient({
      token: textValue(cluster.config, 'core.dcos_acs_token') ?? '',
      timeoutMs: timeoutSeconds(cluster.config, terminal) * 1000,
      security: await transportSecurity(cluster.config, terminal),
      environment: terminal.environment,
      trace: requestTrace(terminal, invocation.verbosity),
    }),
  };
}

/** The cluster that commands work on. @throws OperationError CLI_NOT_CONFIGURED */
export async function currentCluster(terminal: Terminal): Promise<StoredCluster> {
  const clusters = await readClusters(terminal);
  return orThrow(
    chooseCurrent(clusters, terminal.environment['DCOS_CLUSTER']),
    'CLI_NOT_CONFIGURED',
  );
}

/** Where requests are logged to, when they are. */
export function requestTrace(
  terminal: Terminal,
  verbosity: Verbosity,
): { readonly bodies: boolean; readonly line: (text: string) => void } | undefined {
  if (verbosity === 0) return undefined;
  return { bodies: verbosity === 2, line: (text) => terminal.notice(text) };
}

/** How the certificate of a cluster is checked. @throws OperationError CLI_INPUT */
export async function transportSecurity(
  config: ConfigDocument,
  terminal: Terminal,
): Promise<TransportSecurity> {
  const override = terminal.environment['DCOS_SSL_VERIFY'] ?? '';
  const configured = override === '' ? (configValue(config, 'core.ssl_verify') ?? true) : override;
  return await securityOf(configText(configured));
}

/** @param setting as `core.ssl_verify` has it: true, false or a path. @throws OperationError CLI_INPUT */
export async function securityOf(setting: string): Promise<TransportSecurity> {
  if (/^true$/i.test(setting)) return { verify: true };
  if (/^false$/i.test(setting)) return { verify: false };
  return { verify: true, authorities: await readAuthorities(setting) };
}

async function readAuthorities(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const text = `core.ssl_verify names a file that cannot be read: ${path}. Expected true, false or a path.`;
    throw cliError('CLI_INPUT', text, { cause: error });
  }
}

function timeoutSeconds(config: ConfigDocument, terminal: Terminal): number {
  const override = terminal.environment['DCOS_TIMEOUT'];
  const value =
    override === undefined || override === ''
      ? (configValue(config, 'core.timeout') ?? timeoutSecondsDefault)
      : override;
  return Number(orThrow(parseConfigValue('core.timeout', configText(value)), 'CLI_INPUT'));
}

function textValue(config: ConfigDocument, name: string): string | undefined {
  const value = configValue(config, name);
  return typeof value === 'string' ? value : undefined;
}

function baseUrl(config: ConfigDocument, name: string): string | undefined {
  const value = textValue(config, name);
  return value === undefined || value === '' ? undefined : withoutSlash(value);
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}
