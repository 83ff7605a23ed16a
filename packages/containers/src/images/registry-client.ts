/**
 * A client of image registries (the distribution API v2) for one image: its manifests and blobs, from mirrors of the
 * registry or from the registry itself.
 *
 * Invariants: what is handed over has the digest that was asked for, whoever sent it; credentials go to the host that
 * they are for, and not along a redirect; sizes and attempts are bounded; a blob that broke off goes on where it
 * stopped; a mirror is tried once, and after it did not answer not again for this image.
 */

import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorText, OperationError, type Logger } from '@dcos/base';
import { containerError } from '../errors.ts';
import { helperNote, type RegistryLogins } from './docker-config.ts';
import { MANIFEST_BYTES_MAX, MANIFEST_TYPES, type Descriptor } from './manifest.ts';
import type { ImageReference } from './reference.ts';
import { answerChallenge } from './registry-auth.ts';
import {
  endpointsOf,
  loginAt,
  type Endpoint,
  type EndpointOptions,
  type Endpoints,
} from './registry-endpoints.ts';
import { problemOf, wordsOf } from './registry-problems.ts';

export interface RegistryClientOptions extends EndpointOptions {
  readonly logger: Logger;
  /** Between the first and the second attempt; doubled each time. */
  readonly backOffMs?: number;
  /** A server that sends nothing for that long is given up. */
  readonly stallMs?: number;
}

const ATTEMPTS_MAX = 4;
const BACK_OFF_MS = 500;
const STALL_MS = 60_000;
const REDIRECTS_MAX = 5;

interface Wanted {
  /** Below `/v2/<repository>/`. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** A failure that another attempt may cure. */
class Transient extends Error {}

export class RegistryClient {
  readonly #options: RegistryClientOptions;
  readonly #reference: ImageReference;
  readonly #logins: RegistryLogins;
  readonly #endpoints: Endpoints;
  /** Mirrors that did not answer. */
  readonly #givenUp = new Set<Endpoint>();
  /** What an endpoint was satisfied with last. */
  readonly #authorizations = new Map<Endpoint, string>();

  constructor(reference: ImageReference, logins: RegistryLogins, options: RegistryClientOptions) {
    this.#options = options;
    this.#reference = reference;
    this.#logins = logins;
    this.#endpoints = endpointsOf(reference, options);
  }

  /** The manifest or index of the image's name, or of that digest in place of the name's. */
  async manifest(options: {
    readonly signal: AbortSignal;
    readonly digest?: string;
  }): Promise<{ readonly bytes: Uint8Array; readonly digest: string }> {
    const { signal } = options;
    const wanted = options.digest ?? this.#reference.digest;
    const path = `manifests/${wanted ?? this.#reference.tag ?? 'latest'}`;
    const headers = { accept: MANIFEST_TYPES.join(', ') };
    return await this.#fromAny(signal, async (endpoint) => {
      const chunks: Uint8Array[] = [];
      let length = 0;
      await this.#read(endpoint, { path, headers, signal }, async (chunk) => {
        length += chunk.length;
        if (length > MANIFEST_BYTES_MAX) throw failed('the manifest is too long');
        chunks.push(chunk);
        await Promise.resolve();
      });
      const bytes = Buffer.concat(chunks);
      const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
      if (wanted !== undefined && digest !== wanted)
        throw failed(
          `the registry sent a manifest with the digest ${digest} in place of ${wanted}`,
        );
      return { bytes, digest };
    });
  }

  /** Writes a blob into a file that does not exist yet; throws when it is not the one that was asked for. */
  async blob(
    { digest, size }: Descriptor,
    { path: filePath, signal }: { readonly path: string; readonly signal: AbortSignal },
  ): Promise<void> {
    const file = await open(filePath, 'wx');
    try {
      let hash = createHash('sha256');
      let at = 0;
      let sender: Endpoint | undefined;
      const restart = async (): Promise<void> => {
        await file.truncate(0);
        hash = createHash('sha256');
        at = 0;
      };
      await this.#fromAny(signal, async (endpoint) => {
        // What somebody else sent before is not trusted: it would be found out at the end only.
        if (sender !== endpoint) await restart();
        sender = endpoint;
        const headers: Record<string, string> = at === 0 ? {} : { range: `bytes=${at}-` };
        await this.#read(
          endpoint,
          { path: `blobs/${digest}`, headers, signal },
          async (chunk) => {
            if (at + chunk.length > size)
              throw failed(`the blob ${digest} is longer than announced`);
            await writeAll(file, chunk, at);
            hash.update(chunk);
            at += chunk.length;
          },
          restart,
        );
        if (at < size) throw new Transient(`the blob ${digest} broke off`);
        if (`sha256:${hash.digest('hex')}` !== digest)
          throw failed(`the blob ${digest} is damaged`);
      });
    } finally {
      await file.close();
    }
  }

  /** Asks the mirrors, each once, then the registry, several times where that may help. */
  async #fromAny<T>(signal: AbortSignal, attempt: (endpoint: Endpoint) => Promise<T>): Promise<T> {
    for (const mirror of this.#endpoints.mirrors) {
      if (this.#givenUp.has(mirror)) continue;
      try {
        return await attempt(mirror);
      } catch (error) {
        signal.throwIfAborted();
        // Such as a full disk: nobody else would do better.
        if (!(error instanceof Transient) && !(error instanceof OperationError)) throw error;
        if (error instanceof Transient) this.#givenUp.add(mirror);
        this.#options.logger.warn(
          { event: 'image.mirror_failed', mirror: mirror.host, error: errorText(error) },
          `the mirror ${mirror.host} does not give what was asked for`,
        );
      }
    }
    const { registry } = this.#endpoints;
    return await this.#repeat(signal, async () => await attempt(registry));
  }

  async #repeat<T>(signal: AbortSignal, attempt: () => Promise<T>): Promise<T> {
    for (let count = 1; ; count++) {
      try {
        return await attempt();
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof Transient) || count >= ATTEMPTS_MAX) throw error;
        const backOffMs = (this.#options.backOffMs ?? BACK_OFF_MS) * 2 ** (count - 1);
        await sleep(backOffMs, undefined, { signal });
      }
    }
  }

  /** One answer, piece by piece. `restart` is called when the server ignores where to begin. */
  async #read(
    endpoint: Endpoint,
    wanted: Wanted,
    onChunk: (chunk: Uint8Array) => Promise<void>,
    restart: () => Promise<void> = async () => await Promise.resolve(),
  ): Promise<void> {
    const stalled = new AbortController();
    const timer = setTimeout(
      () => stalled.abort(new Error('the registry stopped sending')),
      this.#options.stallMs ?? STALL_MS,
    );
    const signal = AbortSignal.any([wanted.signal, stalled.signal]);
    try {
      const response = await transient(
        async () => await this.#answer(endpoint, { ...wanted, signal }),
      );
      if (wanted.headers['range'] !== undefined && response.status !== 206) await restart();
      const reader = response.body?.getReader();
      for (;;) {
        if (reader === undefined) break;
        const { done, value } = await transient(async () => await reader.read());
        if (done) break;
        timer.refresh();
        await onChunk(value);
      }
    } finally {
      clearTimeout(timer);
      stalled.abort();
    }
  }

  /** The answer that carries the content: after log-in, at the end of redirects. */
  async #answer(endpoint: Endpoint, wanted: Wanted): Promise<Response> {
    const { base } = endpoint;
    const { signal } = wanted;
    const url = new URL(`v2/${this.#reference.repository}/${wanted.path}`, base);
    const isPlain = base.protocol === 'http:';
    const ask = async (authorization: string | undefined): Promise<Response> => {
      const headers = { ...wanted.headers, ...(authorization !== undefined && { authorization }) };
      return await this.#follow(url, headers, { isPlain, signal });
    };
    const login = loginAt(endpoint, this.#logins);
    let response = await ask(this.#authorizations.get(endpoint));
    // Where a redirect led to is told nothing.
    if (response.status === 401 && new URL(response.url).origin === url.origin) {
      const header = response.headers.get('www-authenticate') ?? '';
      const authorization = await answerChallenge({ header, login, isPlain, signal });
      if (authorization !== undefined) {
        await response.body?.cancel();
        this.#authorizations.set(endpoint, authorization);
        response = await ask(authorization);
      }
    }
    if (response.ok) return response;
    const { status } = response;
    const words = await wordsOf(response);
    if (status >= 500 || status === 429)
      throw new Transient(`the registry answered ${status}${words}`);
    const { repository } = this.#reference;
    const { path } = wanted;
    const problem = problemOf({ status, host: endpoint.host, repository, path });
    const note = status === 401 || status === 403 ? helperNote(login) : '';
    throw failed(`${problem}${words}${note}`);
  }

  async #follow(
    from: URL,
    headers: Readonly<Record<string, string>>,
    { isPlain, signal }: { readonly isPlain: boolean; readonly signal: AbortSignal },
  ): Promise<Response> {
    let url = from;
    for (let count = 0; count <= REDIRECTS_MAX; count++) {
      const { authorization: _, ...bare } = headers;
      const sent = url.origin === from.origin ? headers : bare;
      const response = await fetch(url, { headers: sent, redirect: 'manual', signal });
      const location = response.headers.get('location');
      if (response.status < 300 || response.status >= 400 || location === null) return response;
      await response.body?.cancel();
      if (!URL.canParse(location, url)) throw failed('the registry redirects to no address');
      url = new URL(location, url);
      if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isPlain))
        throw failed('the registry redirects to an address without TLS');
    }
    throw failed('the registry redirects too often');
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array, at: number): Promise<void> {
  let written = 0;
  while (written < chunk.length) {
    const { bytesWritten } = await file.write(chunk, written, chunk.length - written, at + written);
    written += bytesWritten;
  }
}

/** Failures of the connection are worth another attempt; what was decided here is not. */
async function transient<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof Transient || (error instanceof Error && error.name === 'OperationError'))
      throw error;
    throw new Transient('cannot reach the registry', { cause: error });
  }
}

function failed(message: string): Error {
  return containerError('CONTAINER_LAUNCH_FAILED', message);
}
