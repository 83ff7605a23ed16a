/** Masters that are processes of their own and elect one of them, to be killed and frozen. */

import { spawn, type ChildProcess } from 'node:child_process';
import { request, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryDirectory, waitFor } from '@dcos/testkit';

const MASTER = fileURLToPath(new URL('../../../master/src/main.ts', import.meta.url));
const AGENT = fileURLToPath(new URL('../../../agent/src/main.ts', import.meta.url));

/** Busy machines start processes slowly. */
const START_TIMEOUT_MS = 60_000;

/** A component in a process of its own, that ends with the test at the latest. */
export class Component {
  readonly #child: ChildProcess;
  readonly exit: Promise<number | null>;
  output = '';

  constructor(main: string, flags: readonly string[]) {
    const child = spawn(process.execPath, ['--conditions=@dcos/source', main, ...flags], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // Most tests start the same programs again and again.
      env: { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), 'dcos-tests-compiled') },
    });
    this.#child = child;
    this.exit = new Promise((resolve) => child.on('exit', (code) => resolve(code)));
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    }
  }

  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child.kill('SIGCONT');
  }

  /** Asks it to end. Resolves with its exit code. */
  async terminate(): Promise<number | null> {
    this.#child.kill('SIGTERM');
    return await this.exit;
  }

  /** As by `kill -9`. Resolves when it is gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exit;
  }
}

export interface MasterProcess extends Component {
  readonly url: string;
}

/** Starts a master of the cluster at `zk`; resolves when it serves, be it to say that it waits for ZooKeeper. */
export async function startMasterProcess(
  zk: string,
  sessionTimeout: string,
  flags: readonly string[] = [],
): Promise<MasterProcess> {
  const folder = temporaryDirectory('master');
  const started = new Component(MASTER, [
    '--ip=127.0.0.1',
    ...(flags.some((flag) => flag.startsWith('--port=')) ? [] : ['--port=0']),
    `--zk=${zk}`,
    `--zk_session_timeout=${sessionTimeout}`,
    `--work_dir=${folder.path}`,
    ...flags,
  ]);
  void started.exit.then(() => folder.remove());
  const url = await waitFor(
    `a master that serves`,
    () => /master ready at (\S+)/.exec(started.output)?.[1],
    START_TIMEOUT_MS,
  ).catch(async (error: unknown) => {
    await started.kill();
    throw new Error(`no master: ${started.output}`, { cause: error });
  });
  return Object.assign(started, { url });
}

/** Starts an agent; `masters` is an address, or that of ZooKeeper where they elect their leader. */
export function startAgentProcess(masters: string, workDir: string): Component {
  return new Component(AGENT, [
    `--masters=${masters}`,
    '--port=0',
    `--work-dir=${workDir}`,
    '--resources=cpus:4;mem:4096;disk:8192;ports:[31000-32000]',
    '--registration-backoff-ms=50',
  ]);
}

export interface Answer {
  readonly status: number;
  readonly location: string | undefined;
  readonly text: string;
}

/** Asks without following redirects. */
export async function ask(
  url: string,
  { method = 'GET', body = '' }: { readonly method?: string; readonly body?: string } = {},
): Promise<Answer> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = {
      accept: 'application/json',
      ...(body !== '' && { 'content-type': 'application/json' }),
    };
    request(url, { method, headers, agent: false }, resolve).on('error', reject).end(body);
  });
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode ?? 0, location: response.headers.location, text };
}

/** The master that leads by its own account and has recovered; undefined while none does. */
export async function leaderOf(
  masters: readonly MasterProcess[],
): Promise<MasterProcess | undefined> {
  for (const master of masters) {
    const { status } = await ask(`${master.url}/state-summary`);
    if (status === 200) return master;
  }
  return undefined;
}
