/**
 * Documents of a cluster that commands read, each checked for its outer shape.
 */

import { isJsonObject } from '@dcos/base';
import type { JsonObject, JsonValue } from '@dcos/base';
import { objectsField, objectsOf } from '../core/json-field.ts';
import { idPath } from '../core/marathon-id.ts';
import { cliError } from './errors.ts';
import type { RequestOptions } from './http-client.ts';
import type { Session } from './session.ts';

/** A JSON object from a server. @throws OperationError CLI_BAD_REPLY */
export async function fetchObject(
  session: Session,
  url: string,
  options: RequestOptions = {},
): Promise<JsonObject> {
  const value = await session.client.json(url, options);
  if (isJsonObject(value)) return value;
  throw cliError('CLI_BAD_REPLY', `${url} answered JSON that is no object`);
}

/** The objects of a JSON array from a server. @throws OperationError CLI_BAD_REPLY */
export async function fetchObjects(session: Session, url: string): Promise<readonly JsonObject[]> {
  const value = await session.client.json(url);
  if (Array.isArray(value)) return objectsOf(value);
  throw cliError('CLI_BAD_REPLY', `${url} answered JSON that is no array`);
}

/** The state of the master with all frameworks and tasks. */
export async function fetchState(session: Session): Promise<JsonObject> {
  return fetchObject(session, `${session.mesosUrl}/master/state`);
}

/** The launch queue of Marathon. */
export async function fetchQueue(
  session: Session,
  query: RequestOptions['query'] = {},
): Promise<readonly JsonObject[]> {
  const document = await fetchObject(session, `${session.marathonUrl}/v2/queue`, { query });
  return objectsField(document, 'queue');
}

/** One app. @throws OperationError CLI_HTTP_STATUS when there is none */
export async function fetchApp(session: Session, id: string): Promise<JsonObject> {
  const document = await fetchObject(session, appUrl(session, id));
  const app = document['app'];
  return isJsonObject(app) ? app : document;
}

/** The address of an app, or of something below it. */
export function appUrl(session: Session, id: string, below = ''): string {
  return `${session.marathonUrl}/v2/apps${idPath(id)}${below}`;
}

/** The id of the deployment that a change started. @throws OperationError CLI_BAD_REPLY */
export function deploymentIdOf(reply: JsonValue): string {
  if (isJsonObject(reply)) {
    const id = reply['deploymentId'] ?? objectsField(reply, 'deployments')[0]?.['id'];
    if (typeof id === 'string') return id;
  }
  throw cliError('CLI_BAD_REPLY', 'the answer of Marathon names no deployment');
}
