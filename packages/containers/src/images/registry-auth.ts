/**
 * How registries ask for credentials: `WWW-Authenticate: Basic`, or `Bearer` with the address of a token server.
 * Source: the distribution project's token specification. Credentials go to the registry, or to the token server
 * that it names; never over plain HTTP unless the registry itself is spoken to that way.
 */

import { containerError } from '../errors.ts';
import { helperNote, type RegistryLogin } from './docker-config.ts';
import { wordsOf } from './registry-problems.ts';

const TOKEN_BYTES_MAX = 1024 * 1024;
/** What we are called at token servers. */
const CLIENT_ID = 'dcos-agent';

interface Challenge {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** Reads the header. */
export function parseChallenge(header: string): Challenge {
  const [scheme = ''] = header.trim().split(/\s+/, 1);
  const parameters = new Map<string, string>();
  for (const [, name = '', value = ''] of header.matchAll(/([A-Za-z_]+)="([^"]*)"/g))
    parameters.set(name.toLowerCase(), value);
  return { scheme: scheme.toLowerCase(), parameters };
}

export interface AnswerOptions {
  readonly header: string;
  readonly login: RegistryLogin | undefined;
  readonly isPlain: boolean;
  readonly signal: AbortSignal;
}

/** The value of `Authorization` that answers the challenge; undefined when there is nothing to answer with. */
export async function answerChallenge(options: AnswerOptions): Promise<string | undefined> {
  const { scheme, parameters } = parseChallenge(options.header);
  const { login } = options;
  if (scheme === 'basic') return login?.kind === 'password' ? basic(login) : undefined;
  const realm = parameters.get('realm');
  if (scheme !== 'bearer' || realm === undefined || !URL.canParse(realm)) return undefined;
  const url = new URL(realm);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && options.isPlain))
    throw refused('the registry names a token server without TLS');
  const asked = new URLSearchParams();
  for (const name of ['service', 'scope']) {
    const value = parameters.get(name);
    if (value !== undefined) asked.set(name, value);
  }
  const response = await fetch(...tokenRequest(url, asked, options));
  if (!response.ok) {
    const words = await wordsOf(response);
    throw refused(`the token server answered ${response.status}${words}${helperNote(login)}`);
  }
  return `Bearer ${await tokenOf(response)}`;
}

/** An identity token is exchanged by the way of OAuth 2, everything else is asked for. */
function tokenRequest(
  url: URL,
  asked: URLSearchParams,
  { login, signal }: AnswerOptions,
): [URL, RequestInit] {
  const common = { redirect: 'error', signal } as const;
  if (login?.kind === 'identity-token') {
    asked.set('grant_type', 'refresh_token');
    asked.set('client_id', CLIENT_ID);
    asked.set('refresh_token', login.token);
    return [url, { ...common, method: 'POST', body: asked }];
  }
  for (const [name, value] of asked) url.searchParams.set(name, value);
  const headers: Record<string, string> =
    login?.kind === 'password' ? { authorization: basic(login) } : {};
  return [url, { ...common, headers }];
}

async function tokenOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > TOKEN_BYTES_MAX) throw refused("the token server's answer is too long");
    chunks.push(chunk);
  }
  let answer: unknown;
  try {
    answer = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch (error) {
    throw refused('the token server answers no JSON', error);
  }
  const { token, access_token: other } = (answer ?? {}) as Record<string, unknown>;
  const found = token ?? other;
  if (typeof found !== 'string' || /[\r\n]/.test(found))
    throw refused('the token server gives no token');
  return found;
}

function basic({ username, password }: RegistryLogin & { readonly kind: 'password' }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function refused(message: string, cause?: unknown): Error {
  return containerError('CONTAINER_LAUNCH_FAILED', message, cause);
}
