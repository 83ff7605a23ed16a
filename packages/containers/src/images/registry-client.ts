/**
 * A client of image registries (the distribution API v2): manifests and blobs.
 *
 * Invariants: what is handed over has the digest that was asked for; credentials are not sent along a redirect; plain
 * HTTP only to registries that are listed or on loopback; sizes and attempts are bounded; a blob that broke off goes on
 * where it stopped.
 */

import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { containerError } from '../errors.ts';
import type { RegistryLogins } from './docker-config.ts';
import { MANIFEST_BYTES_MAX, MANIFEST_TYPES, type Descriptor } from './manifest.ts';
import { DEFAULT_REGISTRY, type ImageReference } from './reference.ts';
import { answerChallenge } from './registry-auth.ts';

export interface RegistryClientOptions {
  /** Where images without a registry come from; `https://registry-1.docker.io` when absent. */
  readonly defaultRegistry?: string;
  /** Hosts with ports that are spoken to without TLS. */
  readonly insecureRegistries?: readonly string[];
  /** Between the first and the second attempt; doubled each time. */
  readonly backOffMs?: number;
  /** A server that sends nothing for that long is given up. */
  readonly stallMs?: number;
}

export interface RequestOptions {
  readonly logins: RegistryLogins;
  readonly signal: AbortSignal;
}

const ATTEMPTS_MAX = 4;
const BACK_OFF_MS = 500;
const STALL_MS = 60_000;
const REDIRECTS_MAX = 5;
const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?$/;

interface Wanted extends RequestOptions {
  readonly reference: ImageReference;
  /** Below `/v2/<repository>/`. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A failure that another attempt may cure. */
class Transient extends Error {}

export class RegistryClient {
  readonly #options: RegistryClientOptions;

  constructor(options: RegistryClientOptions) {
    this.#options = options;
  }

  /** The manifest or index of that name, or of that digest in place of the name's. */
  async manifest(
    reference: ImageReference,
    options: RequestOptions & { readonly digest?: string },
  ): Promise<{ readonly bytes: Uint8Array; readonly digest: string }> {
    const wanted = options.digest ?? reference.digest;
    const path = `manifests/${wanted ?? reference.tag ?? 'latest'}`;
    const headers = { accept: MANIFEST_TYPES.join(', ') };
    const bytes = await this.#repeat(options.signal, async () => {
      const chunks: Uint8Array[] = [];
      let length = 0;
      await this.#read({ ...options, reference, path, headers }, async (chunk) => {
        length += chunk.length;
        if (length > MANIFEST_BYTES_MAX) throw failed('the manifest is too long');
        chunks.push(chunk);
        await Promise.resolve();
      });
      return Buffer.concat(chunks);
    });
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    if (wanted !== undefined && digest !== wanted)
      throw failed(`the registry sent a manifest with the digest ${digest} in place of ${wanted}`);
    return { bytes, digest };
  }

  /** Writes a blob into a file that does not exist yet; throws when it is not the one that was asked for. */
  async blob(
    reference: ImageReference,
    { digest, size }: Descriptor,
    options: RequestOptions & { readonly path: string },
  ): Promise<void> {
    const file = await open(options.path, 'wx');
    try {
      let hash = createHash('sha256');
      let at = 0;
      await this.#repeat(options.signal, async () => {
        const wanted: Wanted = {
          ...options,
          reference,
          path: `blobs/${digest}`,
          headers: at === 0 ? {} : { range: `bytes=${at}-` },
        };
        const restart = async (): Promise<void> => {
          await file.truncate(0);
          hash = createHash('sha256');
          at = 0;
        };
        await this.#read(
          wanted,
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
      });
      if (`sha256:${hash.digest('hex')}` !== digest) throw failed(`the blob ${digest} is damaged`);
    } finally {
      await file.close();
    }
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
      const response = await transient(async () => await this.#answer({ ...wanted, signal }));
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
  async #answer(wanted: Wanted): Promise<Response> {
    const { reference, signal } = wanted;
    const base = this.#baseOf(reference);
    const url = new URL(`v2/${reference.repository}/${wanted.path}`, base);
    const isPlain = base.protocol === 'http:';
    let response = await this.#follow(url, wanted.headers, { isPlain, signal });
    if (response.status === 401) {
      await response.body?.cancel();
      const header = response.headers.get('www-authenticate') ?? '';
      const login = wanted.logins.get(reference.registry);
      const authorization = await answerChallenge({ header, login, isPlain, signal });
      if (authorization !== undefined)
        response = await this.#follow(
          url,
          { ...wanted.headers, authorization },
          { isPlain, signal },
        );
    }
    if (response.ok) return response;
    await response.body?.cancel();
    if (response.status >= 500 || response.status === 429)
      throw new Transient(`the registry answered ${response.status}`);
    throw failed(problemOf(response.status, wanted));
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

  #baseOf({ registry }: ImageReference): URL {
    const { defaultRegistry = 'https://registry-1.docker.io', insecureRegistries = [] } =
      this.#options;
    if (registry === DEFAULT_REGISTRY)
      return new URL(defaultRegistry.endsWith('/') ? defaultRegistry : `${defaultRegistry}/`);
    const isPlain = insecureRegistries.includes(registry) || LOOPBACK.test(registry);
    return new URL(`${isPlain ? 'http' : 'https'}://${registry}/`);
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

function problemOf(status: number, { reference, path }: Wanted): string {
  if (status === 401 || status === 403)
    return `the registry ${reference.registry} does not permit access to '${reference.repository}'`;
  if (status === 404 && path.startsWith('manifests/'))
    return `there is no image '${reference.repository}' with ${path.slice('manifests/'.length)} on ${reference.registry}`;
  return `the registry answered ${status} to ${path}`;
}

function failed(message: string): Error {
  return containerError('CONTAINER_LAUNCH_FAILED', message);
}
