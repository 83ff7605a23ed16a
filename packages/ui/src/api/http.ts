/**
 * Requests to the router, same origin. Every failure becomes an `ApiError` that says what the server
 * said: its status, its message, and for refused definitions the place and text of each fault.
 */
import { isJsonObject } from '@dcos/base';
import type { JsonValue } from '@dcos/base';

/** One fault in a document that was sent: `path` as the server writes it, e.g. `/constraints(0)`. */
export interface FieldFault {
  readonly path: string;
  readonly errors: readonly string[];
}

/** An answer that is not 2xx, or no answer at all (status 0). */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly faults: readonly FieldFault[];
  /** Deployments that hold the target (409), empty otherwise. */
  readonly lockedBy: readonly string[];

  constructor(status: number, message: string, body?: unknown) {
    super(message);
    this.status = status;
    this.faults = faultsOf(body);
    this.lockedBy = lockedByOf(body);
  }
}

/** Milliseconds after which a plain request counts as unanswered. */
const REQUEST_TIMEOUT_MS = 20_000;

export interface RequestOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

/**
 * Sends a request and parses the JSON answer.
 *
 * @throws ApiError for every answer outside 2xx and for a server that cannot be reached.
 */
export async function requestJson<T>(path: string, options: RequestOptions = {}): Promise<T> {
  const response = await send(path, options);
  const text = await response.text();
  if (!response.ok) throw errorFrom(response.status, text);
  if (text === '') return undefined as T;
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new ApiError(response.status, `The answer to ${path} is not JSON.`);
  }
}

async function send(path: string, options: RequestOptions): Promise<Response> {
  const timeout = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
  const headers: Record<string, string> = { Accept: 'application/json' };
  const init: RequestInit = { method: options.method ?? 'GET', headers, signal };
  if (options.body !== undefined) {
    headers['Content-Type'] = 'application/json';
    init.body = JSON.stringify(options.body);
  }
  try {
    return await fetch(path, init);
  } catch (cause) {
    if (options.signal?.aborted === true) throw cause;
    if (timeout.aborted) throw new ApiError(0, `No answer within ${REQUEST_TIMEOUT_MS / 1000} s.`);
    throw new ApiError(0, 'The cluster cannot be reached.');
  }
}

function errorFrom(status: number, text: string): ApiError {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = undefined;
  }
  if (isJsonObject(body) && typeof body['message'] === 'string') {
    const details = typeof body['details'] === 'string' ? `: ${body['details']}` : '';
    return new ApiError(status, `${body['message']}${details}`, body);
  }
  const plain = text.startsWith('<') ? '' : text.trim().slice(0, 300);
  return new ApiError(status, plain === '' ? `The server answered ${status}.` : plain);
}

function faultsOf(body: unknown): FieldFault[] {
  const details: JsonValue | undefined = isJsonObject(body) ? body['details'] : undefined;
  if (!Array.isArray(details)) return [];
  return details.flatMap((entry: unknown) => {
    if (!isJsonObject(entry) || typeof entry['path'] !== 'string') return [];
    const errors = Array.isArray(entry['errors'])
      ? entry['errors'].filter((text: unknown): text is string => typeof text === 'string')
      : [];
    return [{ path: entry['path'], errors }];
  });
}

function lockedByOf(body: unknown): string[] {
  const deployments = isJsonObject(body) ? body['deployments'] : undefined;
  if (!Array.isArray(deployments)) return [];
  return deployments.flatMap((entry: unknown) =>
    isJsonObject(entry) && typeof entry['id'] === 'string' ? [entry['id']] : [],
  );
}

/** The text to show for anything that was thrown. */
export function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message;
  return String(error);
}
