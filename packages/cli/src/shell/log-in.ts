/**
 * Log-in with user and password, the way that works without a browser.
 */

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { isJsonObject } from '@dcos/base';
import { textField } from '../core/json-field.ts';
import { cliError } from './errors.ts';
import type { HttpClient } from './http-client.ts';
import { parseReply } from './http-client.ts';
import type { Terminal } from './terminal.ts';

export interface LogInOptions {
  readonly username?: string;
  readonly password?: string;
  readonly passwordFile?: string;
}

const probePath = '/pkgpanda/active.buildinfo.full.json';
const loginPathDefault = '/acs/api/v1/auth/login';
const attemptsMax = 3;
const passwordMethods = [
  'dcos-usercredential-post-receive-authtoken',
  'dcos-credential-post-receive-authtoken',
];

/** The scheme of the challenge when the cluster wants a log-in, undefined when it is open. */
export async function requiresLogIn(client: HttpClient, url: string): Promise<string | undefined> {
  const reply = await client.request(`${url}${probePath}`, {
    method: 'HEAD',
    accept: [401, 403, 404, 405, 500, 502, 503],
    anonymous: true,
  });
  if (reply.status === 200) return undefined;
  const challenge = reply.headers['www-authenticate'];
  if (reply.status === 401 && challenge !== undefined) return challenge.split(' ')[0] ?? challenge;
  throw cliError(
    'CLI_BAD_REPLY',
    `${url} is no DC/OS cluster: HEAD ${probePath} answered HTTP ${reply.status}`,
  );
}

export interface LogInRequest {
  readonly terminal: Terminal;
  readonly client: HttpClient;
  readonly url: string;
  readonly options: LogInOptions;
}

/** Gets a token. @throws OperationError when no attempt succeeds */
export async function logIn(request: LogInRequest): Promise<string> {
  const { terminal, options } = request;
  const ready = terminal.environment['DCOS_CLUSTER_SETUP_ACS_TOKEN'];
  if (ready !== undefined && ready !== '') return ready;
  const path = await loginPath(request);
  const given = await givenPassword(terminal, options);
  const username = options.username ?? terminal.environment['DCOS_USERNAME'];
  const attempts = given === undefined ? attemptsMax : 1;
  for (let attempt = 1; ; attempt += 1) {
    const uid = username ?? (await askFor(terminal, 'Username: ', false));
    const password = given ?? (await askFor(terminal, 'Password: ', true));
    const reply = await request.client.request(`${request.url}${path}`, {
      method: 'POST',
      json: { uid, password },
      accept: [401],
    });
    if (reply.status === 401) {
      if (attempt >= attempts) {
        throw cliError('CLI_REFUSED', 'the user name or the password is wrong');
      }
      terminal.notice('The user name or the password is wrong.');
      continue;
    }
    const document = parseReply(reply, 'POST');
    const token = isJsonObject(document) ? textField(document, 'token') : undefined;
    if (token === undefined) throw cliError('CLI_BAD_REPLY', 'the log-in answered no token');
    return token;
  }
}

// A cluster that lists its providers says where to post; others have the usual place.
async function loginPath({ client, url }: LogInRequest): Promise<string> {
  const reply = await client.request(`${url}/acs/api/v1/auth/providers`, {
    accept: [401, 403, 404, 500, 502, 503],
  });
  if (reply.status !== 200) return loginPathDefault;
  const providers = parseReply(reply, 'GET');
  if (!isJsonObject(providers)) return loginPathDefault;
  const list = Object.values(providers).filter(isJsonObject);
  const found = list.find((item) =>
    passwordMethods.includes(textField(item, 'client-method') ?? ''),
  );
  if (found === undefined && list.length > 0) {
    throw cliError(
      'CLI_NOT_THERE_YET',
      'this cluster offers no log-in with user and password; log-in through a browser is not ' +
        'there yet. Pass a token in DCOS_CLUSTER_SETUP_ACS_TOKEN.',
    );
  }
  const config = found?.['config'];
  const start = isJsonObject(config) ? textField(config, 'start_flow_url') : undefined;
  return start ?? loginPathDefault;
}

async function givenPassword(
  terminal: Terminal,
  options: LogInOptions,
): Promise<string | undefined> {
  if (options.password !== undefined) return options.password;
  if (options.passwordFile === undefined) return terminal.environment['DCOS_PASSWORD'];
  const path = resolve(terminal.workingDirectory, options.passwordFile);
  const { stat } = await import('node:fs/promises');
  const mode = (await stat(path)).mode & 0o777;
  if ((mode & 0o077) !== 0) {
    const text = `${options.passwordFile} can be read by others (mode ${mode.toString(8)}): run chmod 600 on it`;
    throw cliError('CLI_INPUT', text);
  }
  return (await readFile(path, 'utf8')).replace(/\r?\n$/, '');
}

async function askFor(terminal: Terminal, question: string, hidden: boolean): Promise<string> {
  const answer = await terminal.ask(question, { hidden });
  if (answer === undefined) throw cliError('CLI_REFUSED', 'the log-in was given up');
  return answer.trim();
}
