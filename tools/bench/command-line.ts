/** A `dcos` command from a cold start to its end against a running box, beside an empty Node process. */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { startBoxProcess, temporaryDirectory, workspaceRoot } from '@dcos/testkit';
import { row, type Row } from './row.ts';

const RUNS = 20;
const dcos = join(workspaceRoot, 'packages', 'cli', 'bin', 'dcos.mjs');

export async function benchmarkCommandLine(): Promise<readonly Row[]> {
  const scratch = temporaryDirectory('bench-cli');
  const box = await startBoxProcess(join(scratch.path, 'data'));
  const environment = { ...process.env, DCOS_DIR: join(scratch.path, 'cli') };
  const timed = (args: readonly string[]): number => {
    const startedMs = performance.now();
    const { status, stderr } = spawnSync(process.execPath, args, {
      env: environment,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
    return performance.now() - startedMs;
  };
  const empty: number[] = [];
  const list: number[] = [];
  try {
    timed([dcos, 'cluster', 'setup', box.ready.url]);
    timed([dcos, 'marathon', 'app', 'list']);
    for (let run = 0; run < RUNS; run++) {
      empty.push(timed(['-e', '0']));
      list.push(timed([dcos, 'marathon', 'app', 'list']));
    }
  } finally {
    await box.stop('SIGTERM');
    scratch.remove();
  }
  return [
    row('an empty Node process, for comparison', 'ms', empty, ''),
    row('`dcos marathon app list`, cold', 'ms', list, '100 ms'),
  ];
}
