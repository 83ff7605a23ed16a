/**
 * The operator's forms of before the v1 API: `/reserve`, `/unreserve`, `/create-volumes` and
 * `/destroy-volumes`, POST of `slaveId=…&resources=<JSON array>` (or `volumes`). Each is one v1 call.
 */

import {
  bodyBytes,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from '@dcos/http';
import { fromJson, ResourceType, WireError, type masterApi, type Resource } from '@dcos/wire';
import { refuse, refuseMethod, refuseNotTaken } from './answers.ts';
import type { MasterShell } from './master-shell.ts';

interface Form {
  readonly parameter: 'resources' | 'volumes';
  readonly call: (agent: string, resources: readonly Resource[]) => masterApi.Call;
}

const FORMS: Readonly<Record<string, Form>> = {
  '/reserve': {
    parameter: 'resources',
    call: (value, resources) => ({
      type: 'RESERVE_RESOURCES',
      reserve_resources: { agent_id: { value }, resources },
    }),
  },
  '/unreserve': {
    parameter: 'resources',
    call: (value, resources) => ({
      type: 'UNRESERVE_RESOURCES',
      unreserve_resources: { agent_id: { value }, resources },
    }),
  },
  '/create-volumes': {
    parameter: 'volumes',
    call: (value, volumes) => ({
      type: 'CREATE_VOLUMES',
      create_volumes: { agent_id: { value }, volumes },
    }),
  },
  '/destroy-volumes': {
    parameter: 'volumes',
    call: (value, volumes) => ({
      type: 'DESTROY_VOLUMES',
      destroy_volumes: { agent_id: { value }, volumes },
    }),
  },
};

/** Adds the routes below a prefix. */
export function addOperationRoutes(app: FastifyInstance, shell: MasterShell, prefix: string): void {
  for (const [path, form] of Object.entries(FORMS))
    app.all(prefix + path, (request, reply) => onForm(shell, form, request, reply));
}

function onForm(
  shell: MasterShell,
  { parameter, call }: Form,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  if (request.method !== 'POST') {
    refuseMethod(request, reply, ['POST']);
    return;
  }
  if (shell.leadership === undefined) {
    refuseNotTaken(reply);
    return;
  }
  const values = new URLSearchParams(Buffer.from(bodyBytes(request.body)).toString());
  const agent = values.get('slaveId');
  const text = values.get(parameter);
  const missing = agent === null ? 'slaveId' : text === null ? parameter : undefined;
  if (missing !== undefined || agent === null || text === null) {
    refuse(reply, 400, `Missing '${missing ?? ''}' query parameter in the request body`);
    return;
  }
  const resources = parseList(text);
  if (typeof resources === 'string') {
    const start = `Error parsing '${parameter}' query parameter in the request body: `;
    refuse(reply, 400, start + resources);
    return;
  }
  shell.dispatchCall(reply, call(agent, resources));
}

/** The resources of a JSON array, or what is wrong with it. */
function parseList(text: string): readonly Resource[] | string {
  try {
    const json: unknown = JSON.parse(text);
    if (!Array.isArray(json)) return 'expecting a JSON array';
    return json.map((item) => fromJson(ResourceType, item));
  } catch (error) {
    if (error instanceof WireError || error instanceof SyntaxError) return error.message;
    throw error;
  }
}
