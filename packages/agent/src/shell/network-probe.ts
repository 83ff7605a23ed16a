/**
 * Asks one address whether it answers, by TCP or HTTP: from the agent itself, or from inside the network of a container
 * that has one of its own. For the latter the question goes to a small process that enters that network, started from
 * the text of a function, as the kernel lets no running Node change networks.
 */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { errorText } from '@dcos/base';

const run = promisify(execFile);

/** Redirects that are followed. */
const REDIRECTS_MAX = 5;
/** For the process that enters a network to start and to end, beside the question itself. */
const PROCESS_MS = 10_000;

export type NetworkQuestion =
  | {
      readonly kind: 'tcp';
      readonly host: string;
      readonly port: number;
      readonly timeoutMs: number;
    }
  | { readonly kind: 'http'; readonly url: string; readonly timeoutMs: number };

export type NetworkAnswer =
  | { readonly kind: 'connected' }
  /** Of the last of the redirects. */
  | { readonly kind: 'answered'; readonly status: number; readonly url: string }
  | { readonly kind: 'failed'; readonly timedOut: boolean; readonly message: string };

/** Asks from here; never rejects. */
export async function askNetwork(question: NetworkQuestion): Promise<NetworkAnswer> {
  return await ask(question, REDIRECTS_MAX);
}

/** Asks from inside the network of a process; never rejects. Needs root, and `nsenter` of util-linux. */
export async function askInNetworkOf(
  pid: number,
  question: NetworkQuestion,
): Promise<NetworkAnswer> {
  const text = `(${ask.toString()})(${JSON.stringify(question)}, ${REDIRECTS_MAX}).then((answer) => process.stdout.write(JSON.stringify(answer)))`;
  const vector = [`--net=/proc/${pid}/ns/net`, '--', process.execPath, '-e', text];
  try {
    const { stdout } = await run('nsenter', vector, {
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
      timeout: question.timeoutMs + PROCESS_MS,
      killSignal: 'SIGKILL',
    });
    return JSON.parse(stdout) as NetworkAnswer;
  } catch (error) {
    const timedOut = error instanceof Error && 'killed' in error && error.killed === true;
    const [first = ''] = errorText(error).split('\n');
    return { kind: 'failed', timedOut, message: `cannot ask in its network: ${first}` };
  }
}

/** Nothing outside of this function exists where its text is run. */
async function ask(question: NetworkQuestion, redirectsMax: number): Promise<NetworkAnswer> {
  const { timeoutMs } = question;
  const signal = AbortSignal.timeout(timeoutMs);
  const failed = (error: unknown): NetworkAnswer => ({
    kind: 'failed',
    timedOut: signal.aborted,
    message: error instanceof Error ? error.message : String(error),
  });
  if (question.kind === 'tcp') {
    const { connect } = process.getBuiltinModule('node:net');
    return await new Promise<NetworkAnswer>((resolve) => {
      const socket = connect({ host: question.host, port: question.port, signal });
      socket.once('connect', () => {
        resolve({ kind: 'connected' });
        socket.destroy();
      });
      socket.once('error', (error) => resolve(failed(error)));
    });
  }
  const { request: httpRequest } = process.getBuiltinModule('node:http');
  const { request: httpsRequest } = process.getBuiltinModule('node:https');
  const headers = { 'user-agent': 'dcos-agent-health-check' };
  const get = async (url: URL): Promise<{ status: number; location: string | undefined }> =>
    await new Promise((resolve, reject) => {
      // A task's certificate is its own business; the check asks whether it answers.
      const call =
        url.protocol === 'https:'
          ? httpsRequest(url, { signal, headers, agent: false, rejectUnauthorized: false })
          : httpRequest(url, { signal, headers, agent: false });
      call.once('response', (response) => {
        resolve({ status: response.statusCode ?? 0, location: response.headers.location });
        response.destroy();
      });
      call.on('error', reject);
      call.end();
    });
  try {
    let url = new URL(question.url);
    for (let redirects = 0; ; redirects++) {
      const { status, location } = await get(url);
      const isRedirect = status >= 300 && status < 400 && location !== undefined;
      if (!isRedirect || redirects === redirectsMax)
        return { kind: 'answered', status, url: url.href };
      url = new URL(location, url);
    }
  } catch (error) {
    return failed(error);
  }
}
