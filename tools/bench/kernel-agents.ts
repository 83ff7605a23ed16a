/** Many agents in one process: each has its connection, and runs a task by saying so. */

import { once } from 'node:events';
import { WebSocket } from 'ws';
import { agentProtocol, decode, encode } from '@dcos/wire';
import { AGENT_RESOURCES, registerFrame, type Fill } from './kernel-master.ts';

/** Connections that are opened at the same time. */
const CONNECTING_MAX = 100;

export class FakeAgents {
  readonly #sockets: WebSocket[] = [];
  #acknowledged = 0;
  #wanted: { readonly count: number; readonly reached: () => void } | undefined;

  /** Connects agents and waits until they are registered. */
  async connect({
    url,
    agents,
    fill,
  }: {
    readonly url: string;
    readonly agents: number;
    readonly fill?: Fill;
  }): Promise<void> {
    let next = 0;
    const connectNext = async (): Promise<void> => {
      while (next < agents) {
        const index = next++;
        const frame = fill === undefined ? newAgentFrame(index) : registerFrame(fill, index, false);
        await this.#connectOne(url, frame);
      }
    };
    await Promise.all(Array.from({ length: CONNECTING_MAX }, connectNext));
  }

  async #connectOne(url: string, frame: agentProtocol.ToMaster): Promise<void> {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/api/agent`, {
      perMessageDeflate: false,
    });
    this.#sockets.push(socket);
    const registered = Promise.withResolvers<void>();
    socket.on('error', registered.reject);
    socket.on('message', (data: Buffer) => {
      const received = decode(agentProtocol.ToAgentType, data);
      if (received.type === 'REGISTERED') registered.resolve();
      else this.#onFrame(socket, received);
    });
    await once(socket, 'open');
    socket.send(encode(agentProtocol.ToMasterType, frame));
    await registered.promise;
  }

  #onFrame(socket: WebSocket, frame: agentProtocol.ToAgent): void {
    if (frame.run_task !== undefined) socket.send(runningFrame(frame.run_task));
    else if (frame.type === 'ACKNOWLEDGE') {
      this.#acknowledged += 1;
      if (this.#acknowledged === this.#wanted?.count) this.#wanted.reached();
    }
  }

  /** Waits until so many updates were acknowledged, from the beginning. */
  async acknowledged(count: number): Promise<void> {
    if (this.#acknowledged >= count) return;
    await new Promise<void>((reached) => {
      this.#wanted = { count, reached };
    });
  }
}

/** The first REGISTER of an agent that has nothing yet. */
export function newAgentFrame(
  index: number,
  hostname = `host-${index}.example`,
): agentProtocol.ToMaster {
  const frame = registerFrame(
    { agents: 1, frameworks: 0, running: 0, completed: 0, labels: 0 },
    index,
    false,
  );
  const { register } = frame;
  if (register === undefined) return frame;
  return {
    ...frame,
    register: {
      ...register,
      agent_info: { hostname, port: 1, resources: AGENT_RESOURCES },
      // Two agents at one address replace each other.
      ip: `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`,
    },
  };
}

let updates = 0;

/** An agent's word that a task runs. */
export function runningFrame({ framework_info, task }: agentProtocol.RunTask): Uint8Array {
  const uuid = new Uint8Array(16);
  new DataView(uuid.buffer).setUint32(0, updates++);
  return encode(agentProtocol.ToMasterType, {
    type: 'STATUS_UPDATE',
    status_update: {
      framework_id: framework_info.id ?? { value: '' },
      latest_state: 'TASK_RUNNING',
      status: {
        task_id: task.task_id,
        state: 'TASK_RUNNING',
        source: 'SOURCE_EXECUTOR',
        timestamp: Date.now() / 1000,
        uuid,
      },
    },
  });
}
