/** What a person, or a program with `--json`, sees while the box starts and stops. */

import type { JsonValue } from '@dcos/base';

export interface Progress {
  step(
    component: string,
    status: 'starting' | 'ready' | 'stopping' | 'stopped',
    detail?: string,
  ): void;
  ready(facts: ReadyFacts): void;
  note(text: string): void;
}

export interface ReadyFacts {
  readonly url: string;
  readonly master: string;
  readonly marathon: string;
  readonly dns: string;
  readonly readyMs: number;
}

const NAME_WIDTH = 14;

/** Lines for a terminal. */
export function humanProgress(write: (text: string) => void): Progress {
  return {
    step(component, status, detail = '') {
      if (status === 'starting') return;
      write(`  ${component.padEnd(NAME_WIDTH)} ${status.padEnd(8)} ${detail}`.trimEnd() + '\n');
    },
    ready(facts) {
      const [dnsHost, dnsPort] = facts.dns.split(':');
      write(`
ready ${facts.url}

Try next, in another terminal:
  npx dcos cluster setup ${facts.url}
  npx dcos marathon app add examples/webserver.json
  npx dcos task list
  dig @${dnsHost} -p ${dnsPort} webserver.marathon.mesos
Ctrl-C stops apps and cluster; the next start brings the apps back.
`);
    },
    note: (text) => write(`${text}\n`),
  };
}

/** One JSON object a line; the last of a start is the event `ready`. */
export function jsonProgress(write: (text: string) => void): Progress {
  const line = (value: { readonly [key: string]: JsonValue }): void =>
    write(`${JSON.stringify(value)}\n`);
  return {
    step: (component, status, detail = '') =>
      line({ event: 'component', component, status, detail }),
    ready: (facts) => line({ event: 'ready', ...facts }),
    note: (text) => line({ event: 'note', text }),
  };
}
