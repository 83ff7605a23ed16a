/**
 * What components cost from a release and from the sources: processor time and memory until their settings are read, with
 * all of their code loaded, and the box until it is ready. Processor time, since it hardly depends on what else runs here.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startBoxProcess, temporaryDirectory, workspaceRoot, type BoxProgram } from '@dcos/testkit';
import { row, type Row } from './row.ts';

const RUNS = 5;
const COMPONENTS = ['master', 'agent', 'marathon', 'mesos-dns', 'router'];
/** Ticks of the clock of `/proc/<pid>/stat` in a second: 100 on every Linux that Node runs on. */
const TICK_MS = 10;
/** The process says at its end what it used. */
const REPORT = `data:text/javascript,process.on('exit',()=>process.stderr.write(JSON.stringify(process.resourceUsage())))`;

interface Shape {
  readonly name: string;
  readonly node: string;
  /** Arguments that start a component. */
  readonly component: (name: string) => readonly string[];
  readonly box: BoxProgram;
}

export async function benchmarkRelease(): Promise<readonly Row[]> {
  const scratch = temporaryDirectory('bench-release');
  try {
    // Compiled code is kept, as on a host.
    const environment = { ...process.env, NODE_COMPILE_CACHE: join(scratch.path, 'compiled') };
    const shapes = [sources(environment), release(scratch.path, environment)];
    const rows: Row[] = [];
    for (const name of COMPONENTS)
      for (const shape of shapes) rows.push(...componentRows(shape, name, environment));
    for (const shape of shapes) rows.push(...(await boxRows(shape, scratch.path)));
    return rows;
  } finally {
    scratch.remove();
  }
}

function sources(environment: NodeJS.ProcessEnv): Shape {
  const component = (name: string): readonly string[] => [
    '--conditions=@dcos/source',
    join(workspaceRoot, 'packages', name, 'src', 'main.ts'),
  ];
  const box = { file: process.execPath, args: component('box'), environment };
  return { name: 'sources', node: process.execPath, component, box };
}

function release(scratch: string, environment: NodeJS.ProcessEnv): Shape {
  const program = join(workspaceRoot, 'tools', 'release', 'release.ts');
  const flags = [`--platform=linux-${process.arch}`, `--out=${scratch}`];
  execFileSync(process.execPath, ['--conditions=@dcos/source', program, ...flags]);
  const archive = readdirSync(scratch).find((name) => name.endsWith('.tar.gz')) ?? '';
  const folder = join(scratch, 'release');
  mkdirSync(folder);
  execFileSync('tar', ['-xzf', join(scratch, archive), '-C', folder]);
  return {
    name: 'release',
    node: join(folder, 'bin', 'node'),
    component: (name) => [join(folder, 'lib', `${name}.js`)],
    box: { file: join(folder, 'bin', 'dcos-box'), args: [], environment },
  };
}

function componentRows(shape: Shape, name: string, environment: NodeJS.ProcessEnv): readonly Row[] {
  const processorMs: number[] = [];
  const residentMegabytes: number[] = [];
  for (let run = 0; run <= RUNS; run++) {
    const args = [`--import=${REPORT}`, ...shape.component(name), '--print-config'];
    const { stderr } = spawnSync(shape.node, args, { encoding: 'utf8', env: environment });
    const used = JSON.parse(stderr.slice(stderr.lastIndexOf('{'))) as NodeJS.ResourceUsage;
    // The first one fills the cache.
    if (run === 0) continue;
    processorMs.push((used.userCPUTime + used.systemCPUTime) / 1000);
    residentMegabytes.push(used.maxRSS / 1024);
  }
  return [
    row(`${name}, loaded from ${shape.name}: processor time`, 'ms', processorMs, ''),
    row(`${name}, loaded from ${shape.name}: memory`, 'MB', residentMegabytes, ''),
  ];
}

async function boxRows(shape: Shape, scratch: string): Promise<readonly Row[]> {
  const processorMs: number[] = [];
  const residentMegabytes: number[] = [];
  for (let run = 0; run <= RUNS; run++) {
    const box = await startBoxProcess(join(scratch, `data-${shape.name}`), [], shape.box);
    const stat = readFileSync(`/proc/${box.pid}/stat`, 'utf8');
    const status = readFileSync(`/proc/${box.pid}/status`, 'utf8');
    await box.stop('SIGINT');
    if (run === 0) continue;
    const [user = 0, system = 0] = stat
      .replace(/^.*\) /, '')
      .split(' ')
      .slice(11, 13)
      .map(Number);
    processorMs.push((user + system) * TICK_MS);
    residentMegabytes.push(Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024);
  }
  return [
    row(`the box, ready from ${shape.name}: processor time`, 'ms', processorMs, ''),
    row(`the box, ready from ${shape.name}: memory`, 'MB', residentMegabytes, ''),
  ];
}
