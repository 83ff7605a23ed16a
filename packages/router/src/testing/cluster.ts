/**
 * A small cluster as operator messages, for tests.
 */

import type { Label, masterApi, Task } from '@dcos/wire';

export function agent(
  id: string,
  port: number,
  isPublic = false,
): masterApi.Response_GetAgents_Agent {
  return {
    agent_info: {
      id: { value: id },
      hostname: '127.0.0.1',
      ...(isPublic
        ? { attributes: [{ name: 'public_ip', type: 'TEXT', text: { value: 'true' } }] }
        : {}),
    },
    active: true,
    version: '1',
    pid: `slave(1)@127.0.0.1:${port}`,
  };
}

export function framework(
  id: string,
  name: string,
  webuiUrl?: string,
): masterApi.Response_GetFrameworks_Framework {
  return {
    framework_info: {
      user: 'root',
      name,
      id: { value: id },
      ...(webuiUrl === undefined ? {} : { webui_url: webuiUrl }),
    },
    active: true,
    connected: true,
    recovered: false,
  };
}

export function task(
  id: string,
  agentId: string,
  over: Partial<Task> & { readonly labelled?: Readonly<Record<string, string>> } = {},
): Task {
  const { labelled, ...rest } = over;
  const labels: Label[] = Object.entries(labelled ?? {}).map(([key, value]) => ({ key, value }));
  return {
    name: id,
    task_id: { value: id },
    framework_id: { value: 'f-0' },
    agent_id: { value: agentId },
    state: 'TASK_RUNNING',
    ...(labels.length === 0 ? {} : { labels: { labels } }),
    ...rest,
  };
}

export function ports(begin: number, end: number): Pick<Task, 'resources'> {
  return { resources: [{ name: 'ports', type: 'RANGES', ranges: { range: [{ begin, end }] } }] };
}
