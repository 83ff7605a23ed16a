/**
 * The calls of the agent's API that launch containers and ask of them: what they mean, and how their answers look.
 * `…_NESTED_CONTAINER` calls are the older names; they demand a parent. Source: mesos-kernel §3.3.
 */

import type { agentApi, ContainerID } from '@dcos/wire';
import type { ContainerCall, ExitStatus } from '../../core/index.ts';

/** Bytes of one id; it names a directory. */
const CONTAINER_ID_BYTES_MAX = 242;
/** Containers within containers. */
const NESTING_MAX = 32;
const SIGKILL = 9;

/** What a call asks of a container; undefined for other calls; a text when it asks for nothing possible. */
export function containerCallOf(call: agentApi.Call): ContainerCall | string | undefined {
  switch (call.type) {
    case 'LAUNCH_NESTED_CONTAINER':
      return launchOf('launch_nested_container', call.launch_nested_container, 'nested');
    case 'LAUNCH_NESTED_CONTAINER_SESSION':
      return launchOf(
        'launch_nested_container_session',
        call.launch_nested_container_session,
        'session',
      );
    case 'LAUNCH_CONTAINER':
      return launchOf('launch_container', call.launch_container, 'any');
    case 'WAIT_NESTED_CONTAINER':
      return plainOf('wait', 'wait_nested_container', call.wait_nested_container, true);
    case 'WAIT_CONTAINER':
      return plainOf('wait', 'wait_container', call.wait_container, false);
    case 'REMOVE_NESTED_CONTAINER':
      return plainOf('remove', 'remove_nested_container', call.remove_nested_container, true);
    case 'REMOVE_CONTAINER':
      return plainOf('remove', 'remove_container', call.remove_container, false);
    case 'KILL_NESTED_CONTAINER':
      return killOf('kill_nested_container', call.kill_nested_container, true);
    case 'KILL_CONTAINER':
      return killOf('kill_container', call.kill_container, false);
    case 'ATTACH_CONTAINER_OUTPUT':
      return plainOf(
        'attachOutput',
        'attach_container_output',
        call.attach_container_output,
        false,
      );
    default:
      return undefined;
  }
}

type Body = { readonly container_id: ContainerID } | undefined;

function launchOf(
  name: string,
  body: agentApi.Call_LaunchContainer | undefined,
  form: 'nested' | 'session' | 'any',
): ContainerCall | string {
  const path = pathOf(name, body, form !== 'any');
  if (typeof path === 'string' || body === undefined) return path as string;
  return {
    kind: 'launch',
    path,
    isSession: form === 'session',
    command: body.command ?? {},
    ...(body.container !== undefined && { container: body.container }),
    ...(body.resources !== undefined && { resources: body.resources }),
  };
}

function plainOf(
  kind: 'wait' | 'remove' | 'attachOutput',
  name: string,
  body: Body,
  mustBeNested: boolean,
): ContainerCall | string {
  const path = pathOf(name, body, mustBeNested);
  return typeof path === 'string' ? path : { kind, path };
}

function killOf(
  name: string,
  body: agentApi.Call_KillContainer | undefined,
  mustBeNested: boolean,
): ContainerCall | string {
  const path = pathOf(name, body, mustBeNested);
  return typeof path === 'string' ? path : { kind: 'kill', path, signal: body?.signal ?? SIGKILL };
}

function pathOf(name: string, body: Body, mustBeNested: boolean): readonly string[] | string {
  if (body === undefined) return `Expecting '${name}' to be present`;
  const path = chainOf(body.container_id);
  const problem = containerIdProblem(path);
  if (problem !== undefined) return `'${name}.container_id' is invalid: ${problem}`;
  if (mustBeNested && path.length === 1)
    return `Expecting '${name}.container_id.parent' to be present`;
  return path;
}

/** The ids of a chain, the outermost first. */
export function chainOf(id: ContainerID): readonly string[] {
  const chain: string[] = [];
  for (let at: ContainerID | undefined = id; at !== undefined; at = at.parent)
    chain.unshift(at.value);
  return chain;
}

/** Why a chain of ids names no container, or undefined. */
export function containerIdProblem(path: readonly string[]): string | undefined {
  if (path.length > NESTING_MAX) return `more than ${NESTING_MAX} containers within one another`;
  for (const id of path) {
    if (id === '') return "'ContainerID.value' must be non-empty";
    if (Buffer.byteLength(id) > CONTAINER_ID_BYTES_MAX)
      return `'ContainerID.value' '${id.slice(0, 40)}…' exceeds ${CONTAINER_ID_BYTES_MAX} bytes`;
    // A dot separates the ids of a chain in texts.
    if (/[\s/\\.\p{Cc}]/u.test(id))
      return `'ContainerID.value' '${id}' contains invalid characters`;
  }
  return undefined;
}

/** The answer to WAIT; a status as `wait(2)` gives it. */
export function waitResponse(type: agentApi.Call['type'], status: ExitStatus): agentApi.Response {
  const body: agentApi.Response_WaitContainer =
    status.kind === 'unknown'
      ? { message: status.message }
      : { exit_status: status.kind === 'exited' ? status.code << 8 : status.signal };
  return type === 'WAIT_CONTAINER'
    ? { type, wait_container: body }
    : { type: 'WAIT_NESTED_CONTAINER', wait_nested_container: body };
}
