/**
 * Turns an answer that reports a failure into what a person should read: what went wrong, where in
 * the request, and what to do. Understands the error bodies of Marathon, of Mesos (plain text) and
 * of the authentication service.
 */

import { isJsonObject } from '@dcos/base';
import type { JsonObject, JsonValue } from '@dcos/base';
import { listField, objectsField, textField, textsField } from './json-field.ts';

export interface FailedReply {
  readonly status: number;
  readonly method: string;
  readonly url: string;
  readonly body: string;
}

/** Characters of a body that is no JSON which are worth showing. */
const bodyLengthMax = 500;
const detailsMax = 50;

/** The text of the error line and of the lines below it, without the `Error: ` in front. */
export function describeFailure(reply: FailedReply): string {
  const body = parseBody(reply.body);
  if (reply.status === 401) {
    return 'authentication is required. Run "dcos auth login" and try again.';
  }
  if (reply.status === 403) {
    return `you are not authorized to do this${suffix(messageOf(body))}`;
  }
  if (reply.status === 409) {
    const locked = describeLock(body);
    if (locked !== undefined) return locked;
  }
  const message = messageOf(body);
  if (message !== undefined) {
    return [message, ...detailLines(body)].join('\n');
  }
  if (reply.status === 503 && isMesos(reply.url)) {
    return 'the cluster has no leading Mesos master at the moment. Try again in a few seconds.';
  }
  const text = typeof body === 'string' ? body.trim().slice(0, bodyLengthMax) : '';
  const what = `${reply.method} ${reply.url} answered HTTP ${reply.status}`;
  return text === '' || text.startsWith('<') ? what : `${what}: ${text}`;
}

/** The ids of the deployments that lock an app, when the body says so. */
export function lockingDeployments(body: string): readonly string[] {
  return deploymentIds(parseBody(body));
}

function describeLock(body: JsonValue): string | undefined {
  const ids = deploymentIds(body);
  const [first] = ids;
  if (first === undefined) return undefined;
  const noun = ids.length === 1 ? 'deployment' : 'deployments';
  return (
    `changes are blocked by the running ${noun} ${ids.join(', ')}.\n` +
    `Wait for it ("dcos marathon deployment watch ${first}"), undo it ` +
    `("dcos marathon deployment rollback ${first}") or use --force.`
  );
}

function deploymentIds(body: JsonValue): readonly string[] {
  if (!isJsonObject(body)) return [];
  return objectsField(body, 'deployments').flatMap((item) => textField(item, 'id') ?? []);
}

function messageOf(body: JsonValue): string | undefined {
  if (!isJsonObject(body)) return undefined;
  // The authentication service keeps its sentence in `description`.
  return textField(body, 'message') ?? textField(body, 'description') ?? textField(body, 'title');
}

function detailLines(body: JsonValue): readonly string[] {
  if (!isJsonObject(body)) return [];
  const text = textField(body, 'details');
  if (text !== undefined) return [`  ${text}`];
  return listField(body, 'details').slice(0, detailsMax).flatMap(detailLine);
}

function detailLine(detail: JsonValue): readonly string[] {
  if (typeof detail === 'string') return [`  ${detail}`];
  if (!isJsonObject(detail)) return [];
  const errors = errorsOf(detail);
  const path = textField(detail, 'path');
  return [path === undefined ? `  ${errors.join(', ')}` : `  ${path}: ${errors.join(', ')}`];
}

function errorsOf(detail: JsonObject): readonly string[] {
  return textsField(detail, 'errors');
}

function parseBody(body: string): JsonValue {
  try {
    return JSON.parse(body) as JsonValue;
  } catch (error) {
    // A body that is no JSON is shown as text.
    return error instanceof SyntaxError ? body : String(error);
  }
}

function suffix(message: string | undefined): string {
  return message === undefined ? '' : `: ${message}`;
}

function isMesos(url: string): boolean {
  return /\/mesos\/|:5050\//.test(url);
}
