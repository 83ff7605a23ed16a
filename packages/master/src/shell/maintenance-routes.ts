/**
 * Maintenance over the JSON endpoints: `/maintenance/schedule` (GET, POST), `/maintenance/status`,
 * `/machine/down` and `/machine/up` (POST of an array of machines). Each change is one v1 call.
 */

import {
  bodyBytes,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from '@dcos/http';
import type { JsonValue } from '@dcos/base';
import {
  fromJson,
  MachineIDType,
  maintenance,
  toJson,
  WireError,
  type masterApi,
} from '@dcos/wire';
import { clusterStatus, scheduleOf } from '../core/maintenance.ts';
import { refuse, refuseMethod, refuseNotTaken, sendDocument } from './answers.ts';
import type { MasterShell } from './master-shell.ts';

/** Adds the routes below a prefix. */
export function addMaintenanceRoutes(
  app: FastifyInstance,
  shell: MasterShell,
  prefix: string,
): void {
  app.all(`${prefix}/maintenance/schedule`, (request, reply) => onSchedule(shell, request, reply));
  app.all(`${prefix}/maintenance/status`, (request, reply) => onStatus(shell, request, reply));
  app.all(`${prefix}/machine/down`, (request, reply) =>
    onMachines(shell, request, reply, (machines) => ({
      type: 'START_MAINTENANCE',
      start_maintenance: { machines },
    })),
  );
  app.all(`${prefix}/machine/up`, (request, reply) =>
    onMachines(shell, request, reply, (machines) => ({
      type: 'STOP_MAINTENANCE',
      stop_maintenance: { machines },
    })),
  );
}

function onSchedule(shell: MasterShell, request: FastifyRequest, reply: FastifyReply): void {
  const { leadership } = shell;
  if (leadership === undefined) {
    refuseNotTaken(reply);
  } else if (request.method === 'GET') {
    const schedule = toJson(maintenance.ScheduleType, scheduleOf(leadership.core.state));
    sendDocument(request, reply, schedule);
  } else if (request.method === 'POST') {
    const read = readBody(request, (json) => fromJson(maintenance.ScheduleType, json));
    if ('problem' in read) refuse(reply, 400, read.problem);
    else {
      shell.dispatchCall(reply, {
        type: 'UPDATE_MAINTENANCE_SCHEDULE',
        update_maintenance_schedule: { schedule: read.value },
      });
    }
  } else refuseMethod(request, reply, ['GET', 'POST']);
}

function onStatus(shell: MasterShell, request: FastifyRequest, reply: FastifyReply): void {
  const { leadership } = shell;
  if (leadership === undefined) {
    refuseNotTaken(reply);
  } else if (request.method === 'GET') {
    const { core, allocator } = leadership;
    const status = clusterStatus({ state: core.state, allocator });
    sendDocument(request, reply, toJson(maintenance.ClusterStatusType, status));
  } else refuseMethod(request, reply, ['GET']);
}

function onMachines(
  shell: MasterShell,
  request: FastifyRequest,
  reply: FastifyReply,
  call: (machines: NonNullable<masterApi.Call_StartMaintenance['machines']>) => masterApi.Call,
): void {
  if (request.method !== 'POST') {
    refuseMethod(request, reply, ['POST']);
    return;
  }
  if (shell.leadership === undefined) {
    refuseNotTaken(reply);
    return;
  }
  const read = readBody(request, (json) => {
    if (!Array.isArray(json)) throw new WireError('', 'Expecting a JSON array of machines');
    return json.map((item) => fromJson(MachineIDType, item));
  });
  if ('problem' in read) refuse(reply, 400, read.problem);
  else shell.dispatchCall(reply, call(read.value));
}

function readBody<T>(
  request: FastifyRequest,
  convert: (json: JsonValue) => T,
): { readonly value: T } | { readonly problem: string } {
  try {
    const text = Buffer.from(bodyBytes(request.body)).toString();
    return { value: convert(JSON.parse(text) as JsonValue) };
  } catch (error) {
    if (error instanceof WireError || error instanceof SyntaxError)
      return { problem: error.message };
    throw error;
  }
}
