/**
 * What an executor may do with its token: be itself at the executor API, and handle the containers nested in its own.
 * The claims of a token are all that is asked; there are no rules of an operator for executors.
 * Source: mesos-kernel §2.1, §9 (implicit authorization of executors).
 */

import type { FastifyReply, FastifyRequest } from '@dcos/http';
import type { agentApi, executor } from '@dcos/wire';
import type { AgentSnapshot, ContainerCall } from '../../core/index.ts';
import type { ExecutorClaims, ExecutorTokens } from '../executor-tokens.ts';
import { plain } from './files-routes.ts';

export interface ExecutorAccessOptions {
  /** Present when executors must prove who they are. */
  readonly tokens: ExecutorTokens | undefined;
  readonly snapshot: () => AgentSnapshot;
}

const REALM = 'mesos-agent-executor';

/** Calls that a token grants, as far as they are about containers of its own. */
const GRANTED: ReadonlySet<agentApi.Call['type']> = new Set<agentApi.Call['type']>([
  'LAUNCH_CONTAINER',
  'WAIT_CONTAINER',
  'KILL_CONTAINER',
  'REMOVE_CONTAINER',
  'LAUNCH_NESTED_CONTAINER',
  'WAIT_NESTED_CONTAINER',
  'KILL_NESTED_CONTAINER',
  'REMOVE_NESTED_CONTAINER',
  'LAUNCH_NESTED_CONTAINER_SESSION',
  'ATTACH_CONTAINER_OUTPUT',
]);

/** Whose the call to the executor API is; undefined when it was answered with 401, `anybody` when none is asked. */
export async function executorOfRequest(
  { tokens }: ExecutorAccessOptions,
  { headers }: FastifyRequest,
  reply: FastifyReply,
): Promise<ExecutorClaims | 'anybody' | undefined> {
  if (tokens === undefined) return 'anybody';
  const claims = await tokens.claimsOf(headers.authorization);
  if (claims === undefined) {
    reply.header('www-authenticate', `Bearer realm="${REALM}"`);
    await plain(reply, 401, '');
  }
  return claims;
}

/** Why the call is not that executor's, or undefined. One that is not here is refused by the core. */
export function claimsProblem(
  { snapshot }: ExecutorAccessOptions,
  claims: ExecutorClaims | 'anybody',
  call: executor.Call,
): string | undefined {
  if (claims === 'anybody') return undefined;
  const fid = call.framework_id.value;
  const eid = call.executor_id.value;
  const known = snapshot().executors.find(
    ({ frameworkId, executorId }) => frameworkId === fid && executorId === eid,
  );
  const cid = known?.containerId;
  if (known === undefined || (claims.fid === fid && claims.eid === eid && claims.cid === cid))
    return undefined;
  return `The token is that of executor '${claims.eid}' of framework '${claims.fid}' in container '${claims.cid}', not of executor '${eid}' of framework '${fid}'`;
}

/** Whether a call to the operator API is one that the executor whose token comes with it may make. */
export async function isGranted(
  { tokens }: ExecutorAccessOptions,
  { headers }: FastifyRequest,
  type: agentApi.Call['type'],
  asked: ContainerCall | undefined,
): Promise<boolean> {
  const claims = await tokens?.claimsOf(headers.authorization);
  // Whoever shows no token of an executor is not one.
  if (claims === undefined) return true;
  const path = asked?.path ?? [];
  return GRANTED.has(type) && path.length > 1 && path[0] === claims.cid;
}
