/**
 * A master for tests of the agent: speaks the protocol over a real socket, records what the agent says, and
 * acknowledges updates when told to.
 */

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import { WebSocketServer, type WebSocket } from 'ws';
import { assert } from '@dcos/base';
import {
  agentProtocol,
  decode,
  encode,
  type FrameworkInfo,
  type TaskInfo,
  type TaskStatus,
} from '@dcos/wire';

/** Waits for a condition; fails with the text when it does not come true in time. */
export async function until<T>(look: () => T | undefined | false, what: string): Promise<T> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const value = look();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > deadline) throw new Error(`timed out waiting until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export interface FakeMaster {
  readonly url: string;
  readonly registrations: readonly agentProtocol.Register[];
  /** Every update received, repetitions included. */
  readonly updates: readonly TaskStatus[];
  /** When false, updates are recorded and not acknowledged. */
  acknowledging: boolean;
  send(message: agentProtocol.ToAgent): void;
  run(task: TaskInfo, framework?: FrameworkInfo): void;
  kill(taskId: string, graceSeconds?: number): void;
  statesOf(taskId: string): readonly string[];
  waitFor(taskId: string, state: string): Promise<TaskStatus>;
  /** Cuts the connection; the agent may come back. */
  cut(): void;
  close(): Promise<void>;
}

export const FRAMEWORK: FrameworkInfo = {
  user: '',
  name: 'test',
  id: { value: 'framework-0000' },
  checkpoint: true,
  roles: ['*'],
  capabilities: [
    { type: 'MULTI_ROLE' },
    { type: 'PARTITION_AWARE' },
    { type: 'TASK_KILLING_STATE' },
  ],
};

/** A command task of 0.1 cpus and 32 MB. */
export function commandTask(id: string, value: string, more: Partial<TaskInfo> = {}): TaskInfo {
  return {
    name: id,
    task_id: { value: id },
    agent_id: { value: 'fake-S0' },
    resources: [
      { name: 'cpus', type: 'SCALAR', scalar: { value: 0.1 }, allocation_info: { role: '*' } },
      { name: 'mem', type: 'SCALAR', scalar: { value: 32 }, allocation_info: { role: '*' } },
    ],
    command: { shell: true, value },
    ...more,
  };
}

/** Starts it on a free port of the loopback, with HTTPS if it gets what that needs. */
export async function startFakeMaster(tls?: ServerOptions): Promise<FakeMaster> {
  const server: Server = tls === undefined ? createServer() : createTlsServer(tls);
  const sockets = new WebSocketServer({ server });
  const registrations: agentProtocol.Register[] = [];
  const updates: TaskStatus[] = [];
  let current: WebSocket | undefined;
  const state = { acknowledging: true };

  function send(message: agentProtocol.ToAgent): void {
    assert(current !== undefined, 'an agent is connected');
    current.send(encode(agentProtocol.ToAgentType, message));
  }

  function receive(message: agentProtocol.ToMaster): void {
    if (message.register !== undefined) {
      registrations.push(message.register);
      const id = message.register.agent_info.id?.value ?? 'fake-S0';
      const registered = {
        agent_id: { value: id },
        master_id: 'fake',
        ping_interval_ms: 15_000,
        ping_timeout_ms: 75_000,
      };
      send({ type: 'REGISTERED', registered });
    }
    if (message.status_update !== undefined) {
      const { framework_id, status } = message.status_update;
      updates.push(status);
      if (state.acknowledging && status.uuid !== undefined) {
        send({
          type: 'ACKNOWLEDGE',
          acknowledge: { framework_id, task_id: status.task_id, uuid: status.uuid },
        });
      }
    }
  }

  sockets.on('connection', (socket) => {
    current = socket;
    socket.on('message', (data) => receive(decode(agentProtocol.ToMasterType, data as Buffer)));
    socket.on('close', () => {
      if (current === socket) current = undefined;
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert(typeof address === 'object' && address !== null, 'the server listens');
  const of = (taskId: string): readonly TaskStatus[] =>
    updates.filter((status) => status.task_id.value === taskId);
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${address.port}`,
    registrations,
    updates,
    get acknowledging() {
      return state.acknowledging;
    },
    set acknowledging(value) {
      state.acknowledging = value;
    },
    send,
    run: (task, framework = FRAMEWORK) =>
      send({ type: 'RUN_TASK', run_task: { framework_info: framework, task } }),
    kill: (taskId, graceSeconds) =>
      send({
        type: 'KILL_TASK',
        kill_task: {
          framework_id: { value: FRAMEWORK.id?.value ?? '' },
          task_id: { value: taskId },
          ...(graceSeconds === undefined
            ? {}
            : { kill_policy: { grace_period: { nanoseconds: graceSeconds * 1e9 } } }),
        },
      }),
    statesOf: (taskId) => of(taskId).map((status) => status.state),
    waitFor: async (taskId, wanted) =>
      await until(
        () => of(taskId).find((status) => status.state === wanted),
        `${taskId} is ${wanted}; it was ${of(taskId)
          .map((status) => status.state)
          .join(', ')}`,
      ),
    cut: () => current?.terminate(),
    async close() {
      for (const client of sockets.clients) client.terminate();
      sockets.close();
      server.close();
      await once(server, 'close');
    },
  };
}
