/**
 * What the router asks Mesos-DNS for itself.
 */

import { request, type Dispatcher } from 'undici';
import { isJsonObject } from '@dcos/base';

/** For an answer of Mesos-DNS. */
const LOOK_UP_MS_MAX = 3_000;

async function ask(origin: string, path: string, dispatcher: Dispatcher): Promise<unknown> {
  const answer = await request(`${origin.replace(/\/$/, '')}${path}`, {
    headersTimeout: LOOK_UP_MS_MAX,
    bodyTimeout: LOOK_UP_MS_MAX,
    dispatcher,
  });
  const body: unknown = await answer.body.json();
  return answer.statusCode === 200 ? body : undefined;
}

/** The first address of a task of the root Marathon, or undefined when there is none. */
export async function findService(
  mesosDnsUrl: string | undefined,
  name: string,
  dispatcher: Dispatcher,
): Promise<{ readonly ip: string; readonly port: string } | undefined> {
  if (mesosDnsUrl === undefined) return undefined;
  const path = `/v1/services/${encodeURIComponent(`_${name}._tcp.marathon.mesos`)}`;
  const answer = await ask(mesosDnsUrl, path, dispatcher);
  const first: unknown = Array.isArray(answer) ? answer[0] : undefined;
  if (!isJsonObject(first)) return undefined;
  const { ip, port } = first;
  return typeof ip === 'string' && ip !== '' && typeof port === 'string' ? { ip, port } : undefined;
}

/** True when Mesos-DNS answers; true as well when there is none to ask. */
export async function isReachable(
  mesosDnsUrl: string | undefined,
  dispatcher: Dispatcher,
): Promise<boolean> {
  if (mesosDnsUrl === undefined) return true;
  try {
    return (await ask(mesosDnsUrl, '/v1/version', dispatcher)) !== undefined;
  } catch {
    // That it does not answer is the finding.
    return false;
  }
}
