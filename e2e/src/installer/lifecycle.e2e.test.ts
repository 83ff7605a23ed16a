/**
 * The life of a cluster after its first day, with hosts in containers and three masters: more agents, fewer agents, of
 * which those that go are drained; what doctor finds; other certificates; backup and restore, here and in another cluster; through kills.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dockerImage, temporaryDirectory, waitFor, workspaceRoot } from '@dcos/testkit';
import { engine, HOST_IMAGE } from '../engine.ts';
import { installerOf, saidBy, type InstallerRun } from './installer-run.ts';

const facility = dockerImage(HOST_IMAGE);
/** More of the same, too. */
const IS_NIGHTLY = process.env['E2E_NIGHTLY'] === '1';
const PATIENCE_MS = 180_000;
/** ZooKeeper starts again on each master four times and more. */
const EXCHANGE_TIMEOUT_MS = 1_200_000;
const APPS = '/service/marathon/v2/apps';
const NAME = `life-${process.pid}`;
const directory = temporaryDirectory('installer-life');
const config = join(directory.path, 'cluster.yaml');
const file = join(directory.path, 'cluster.backup');
let url = '';

const run = installerOf({ directory: directory.path, config });

async function succeeds(...words: readonly string[]): Promise<InstallerRun> {
  const result = await run(words);
  expect(result.code, saidBy(result)).toBe(0);
  return result;
}

/** Names of the cluster's hosts, in order. */
async function hosts(): Promise<readonly string[]> {
  const filters = { label: [`dcos.cluster=${NAME}`] };
  const found = await engine.listContainers({ all: true, filters });
  const prefix = `/dcos-${NAME}-`;
  return found.map(({ Names }) => (Names[0] ?? '').slice(prefix.length)).sort();
}

async function ask<T>(path: string): Promise<T> {
  const answer = await fetch(`${url}${path}`);
  return (await answer.json()) as T;
}

interface Task {
  readonly id: string;
  readonly host: string;
  readonly state: string;
}

async function runningTasks(): Promise<readonly Task[]> {
  const { tasks } = await ask<{ readonly tasks: readonly Task[] }>(`${APPS}/web/tasks`);
  return tasks.filter(({ state }) => state === 'TASK_RUNNING');
}

/** Addresses of agents that the leading master knows. */
async function agents(): Promise<readonly string[]> {
  const { slaves } = await ask<{ readonly slaves: readonly { readonly hostname: string }[] }>(
    '/mesos/slaves',
  );
  return slaves.map(({ hostname }) => hostname.replace(/^.*\./, '')).sort();
}

function writeConfig(masters: number, privateAgents: number): void {
  const document = {
    name: NAME,
    provider: 'docker',
    docker: { masters, privateAgents, publicAgents: 0, image: HOST_IMAGE, outbound: false },
    // The harder case: state behind certificates.
    tls: true,
  };
  writeFileSync(config, JSON.stringify(document));
}

/** Deploys, and asks from then on as one that trusts the cluster's authorities. */
async function deployAnew(masters: number, privateAgents: number): Promise<void> {
  writeConfig(masters, privateAgents);
  const deployed = await succeeds('deploy');
  url = String(deployed.events.find(({ event }) => event === 'cluster.url')?.['url']);
  trustAuthorities();
}

/** The tasks, as soon as there are so many. */
async function allRun(instances: number): Promise<readonly Task[]> {
  return await waitFor(
    'all instances',
    async () => {
      try {
        const tasks = await runningTasks();
        return tasks.length === instances && tasks;
      } catch {
        // While masters change nobody answers.
        return false;
      }
    },
    PATIENCE_MS,
  );
}

const NODE_FILE = '/etc/dcos/tls/node.pem';
const AUTHORITIES_FILE = '/etc/dcos/tls/ca.crt';
const DCOS = join(workspaceRoot, 'packages', 'cli', 'bin', 'dcos.mjs');
const STATE_OF_SERVER =
  'printf srvr | openssl s_client -quiet -connect 127.0.0.1:2181 -cert "$1" -key "$1" 2>/dev/null';
const FILL_LOGS =
  'mount -t tmpfs -o size=1m tmpfs /var/log && ! head -c 2M /dev/zero >/var/log/full';

/** Runs a program on a host. */
function inHost(name: string, words: readonly string[], input = ''): string {
  const flags = ['exec', '-i', `dcos-${NAME}-${name}`];
  return execFileSync('docker', [...flags, ...words], { encoding: 'utf8', input });
}

/** What this process asks from now on, it asks as one that trusts the cluster's authorities of now. */
function trustAuthorities(): void {
  setDefaultCACertificates([inHost('master-1', ['cat', AUTHORITIES_FILE])]);
}

/** What every host shows, in a fixed order. */
async function certificates(): Promise<readonly string[]> {
  const words = ['openssl', 'x509', '-noout', '-fingerprint', '-in', NODE_FILE];
  return (await hosts()).map((name) => inHost(name, words));
}

/** Who leads the ensemble of ZooKeeper. */
async function quorumLeader(): Promise<string | undefined> {
  const masters = (await hosts()).filter((name) => name.startsWith('master-'));
  return masters.find((name) =>
    inHost(name, ['sh', '-c', STATE_OF_SERVER, 'srvr', NODE_FILE]).includes('Mode: leader'),
  );
}

/** With the key of the cluster's authority, which is on its masters. */
const ISSUE_EXPIRED = `
set -e
umask 077
cd "$(mktemp -d)"
python3 -c '
import json
pair = json.load(open("/var/lib/dcos/pki/authority.json"))["current"]
open("ca.crt", "w").write(pair["certificate"])
open("ca.key", "w").write(pair["key"])'
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" \\
  -keyout node.key -out node.csr 2>/dev/null
printf 'subjectAltName=DNS:%s,DNS:localhost,IP:%s,IP:127.0.0.1\\n' "$1" "$2" >node.ext
openssl x509 -req -in node.csr -CA ca.crt -CAkey ca.key -set_serial 2 -days -1 \\
  -extfile node.ext -out node.crt 2>/dev/null
cat node.key node.crt
rm -r "$PWD"
`;

/** The key of a host with a certificate as the cluster gave it, but that its last day was yesterday. */
function expiredCertificate(host: string): string {
  const address = inHost(host, ['hostname', '-i']).trim();
  return inHost('master-1', ['sh', '-c', ISSUE_EXPIRED, 'issue', host, address]);
}

describe.skipIf(!facility.available)(`the life of a cluster${facility.note}`, () => {
  beforeAll(async () => {
    await deployAnew(3, 1);
    const created = await fetch(`${url}${APPS}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        id: '/web',
        cmd: 'exec python3 -m http.server $PORT0',
        cpus: 1.5,
        mem: 32,
        instances: 3,
      }),
    });
    expect(created.status).toBe(201);
  });
  afterAll(async () => {
    await run(['destroy', '--yes']);
    directory.remove();
  });

  test('scaled out, new agents take what had no room', async () => {
    await succeeds('scale', '--private-agents', '3');
    await allRun(3);
    expect((await succeeds('plan')).events.at(-1)).toMatchObject({ changes: 0 });
  });

  test('scaled in, agents are drained: killed in between, the next run goes on', async () => {
    const plain = await run(['scale', '--private-agents', '2']);
    // Nobody can be asked whether that is meant; then nothing changes.
    expect(plain.code).toBe(2);
    expect((await succeeds('plan')).events.at(-1)).toMatchObject({ changes: 0 });
    const killed = await run(['scale', '--private-agents', '2', '--yes'], ({ event }) =>
      event === 'host.leaving' ? 'kill' : undefined,
    );
    expect(killed.code).toBeNull();
    const leaving = (await succeeds('plan')).events.filter(({ event }) => event === 'plan.leaving');
    expect(leaving.map(({ host }) => host)).toEqual(['private-3']);
    await succeeds('deploy', '--yes');
    expect(await hosts()).toEqual(['master-1', 'master-2', 'master-3', 'private-1', 'private-2']);
    expect(await agents()).toEqual(['20', '21']);
    await allRun(3);
    expect(
      (await succeeds('deploy')).events.find(({ event }) => event === 'deploy.done'),
    ).toMatchObject({ changed: 0 });
  });

  test('a stopped unit, a full disk and an expired certificate are named together, and mended', async () => {
    inHost('master-1', ['systemctl', 'stop', 'dcos-mesos-dns']);
    inHost('private-1', ['sh', '-c', FILL_LOGS]);
    inHost('private-2', ['sh', '-c', 'cat >"$0"', NODE_FILE], expiredCertificate('private-2'));
    const [sick, ill] = [await run(['status']), await run(['doctor'])];
    inHost('private-1', ['umount', '/var/log']);
    expect([sick.code, ill.code]).toEqual([6, 6]);
    const silent = sick.events.filter(({ event, healthy }) => {
      return event === 'unit.status' && healthy === false;
    });
    expect(silent.map(({ host, unit }) => [host, unit])).toEqual([
      ['master-1', 'dcos-mesos-dns'],
      ['private-2', 'dcos-mesos-slave'],
    ]);
    const findings = ill.events.filter(({ event }) => event === 'doctor.finding');
    expect(findings).toMatchObject([
      {
        host: 'master-1',
        reason: 'dcos-mesos-dns is inactive',
        remedy: expect.stringContaining('systemctl start dcos-mesos-dns'),
      },
      {
        host: 'private-1',
        reason: '/var/log is 100 % full: 0 MiB are free at /var/log',
        remedy: expect.stringContaining('du -xh -d 2 /var/log'),
      },
      {
        host: 'private-2',
        check: 'certificate',
        reason: expect.stringMatching(/^it expired on \d{4}-\d\d-\d\d$/),
        remedy: expect.stringContaining('"installer deploy" gives it another one'),
      },
    ]);
    const mended = await succeeds('deploy');
    expect(
      mended.events.filter(({ event }) => event === 'step.done').map(({ step }) => step),
    ).toEqual(expect.arrayContaining(['master-1/dcos-mesos-dns', 'private-2/configuration']));
    await succeeds('status');
    await succeeds('doctor');
  });

  test('who sets up the command is shown the authority that the installer tells of', async () => {
    const { events } = await succeeds('status');
    const [told] = events.filter(({ event }) => event === 'authority.status');
    const fingerprint = String(told?.['fingerprint']);
    const { status, stderr } = spawnSync(process.execPath, [DCOS, 'cluster', 'setup', url], {
      encoding: 'utf8',
      input: 'yes\n',
      env: { ...process.env, DCOS_DIR: join(directory.path, 'dcos') },
    });
    expect([status, stderr]).toEqual([0, expect.stringContaining(fingerprint)]);
    expect(fingerprint).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  });

  if (IS_NIGHTLY) {
    test(
      'certificates and their authority are exchanged, through a kill; tasks and agents stay',
      async () => {
        const agentIds = async (): Promise<readonly string[]> => {
          const { slaves } = await ask<{ readonly slaves: readonly { readonly id: string }[] }>(
            '/mesos/slaves',
          );
          return slaves.map(({ id }) => id).sort();
        };
        const before = [await allRun(3), await agentIds()];
        const first = await certificates();
        const authority = inHost('master-1', ['cat', AUTHORITIES_FILE]);
        const leader = await quorumLeader();
        const rotated = await succeeds('rotate-certificates');
        const started = rotated.events.filter(
          ({ event, step }) => event === 'step.done' && String(step).endsWith('/dcos-zookeeper'),
        );
        expect(started).toHaveLength(3);
        expect(started.at(-1)?.['step']).toBe(`${leader}/dcos-zookeeper`);
        const second = await certificates();
        expect(first.filter((one) => second.includes(one))).toEqual([]);
        expect(inHost('master-1', ['cat', AUTHORITIES_FILE])).toBe(authority);
        await succeeds('rotate-certificates', '--introduce');
        trustAuthorities();
        const killed = await run(['rotate-certificates', '--authority'], ({ event }) =>
          event === 'step.done' ? 'kill' : undefined,
        );
        expect(killed.code, saidBy(killed)).toBeNull();
        await succeeds('rotate-certificates', '--authority');
        expect(inHost('master-1', ['cat', AUTHORITIES_FILE])).not.toContain(authority.trim());
        trustAuthorities();
        expect([await allRun(3), await agentIds()]).toEqual(before);
        await succeeds('doctor');
      },
      EXCHANGE_TIMEOUT_MS,
    );
  }

  test('an agent and a master are replaced; tasks and the cluster go on', async () => {
    const others = (await allRun(3)).filter(({ host }) => !host.endsWith('.21'));
    await succeeds('replace', 'private-2', '--yes');
    expect((await allRun(3)).map(({ id }) => id)).toEqual(
      expect.arrayContaining(others.map(({ id }) => id)),
    );
    await engine.getContainer(`dcos-${NAME}-master-3`).pause();
    const refused = await run(['replace', 'master-2', '--yes']);
    await engine.getContainer(`dcos-${NAME}-master-3`).unpause();
    expect(refused.events.at(-1)).toMatchObject({ code: 'MASTERS_NOT_HEALTHY' });
    const before = await allRun(3);
    await succeeds('replace', 'master-2', '--yes');
    if (IS_NIGHTLY) {
      await engine.getContainer(`dcos-${NAME}-master-3`).remove({ force: true, v: true });
      await succeeds('replace', 'master-3');
    }
    await succeeds('status');
    expect(await allRun(3)).toEqual(before);
    expect(await hosts()).toEqual(['master-1', 'master-2', 'master-3', 'private-1', 'private-2']);
    expect((await run(['replace', 'master-4', '--yes'])).code).toBe(2);
  });

  test('a backup brings back what was lost: over state only when told to, and after a kill', async () => {
    const before = await allRun(3);
    await succeeds('backup', file);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect((await run(['backup', file])).code).toBe(2);
    await fetch(`${url}${APPS}/web`, { method: 'DELETE' });
    const refused = await run(['restore', file, '--yes']);
    // The app's versions and its group are state, or its deployment that still goes on.
    expect(refused.events.at(-1)).toMatchObject({ code: 'RESTORE_NOT_EMPTY' });
    const killed = await run(['restore', file, '--yes', '--replace'], ({ event, text }) =>
      event === 'restore.step' && String(text).startsWith('put in') ? 'kill' : undefined,
    );
    expect(killed.code).toBeNull();
    await succeeds('restore', file, '--yes', '--replace');
    const after = await allRun(3);
    const ids = (tasks: readonly Task[]): readonly string[] =>
      tasks.map(({ id }) => id.replace(/\.\d+$/, '')).sort();
    // The same instances, though their tasks had ended.
    expect(ids(after)).toEqual(ids(before));
  });

  if (IS_NIGHTLY) {
    test('in a new cluster apps start again, from a file that has the configuration, too', async () => {
      await succeeds('destroy', '--yes');
      const written = join(directory.path, 'from-backup.yaml');
      await succeeds('restore', file, '--write-config', written);
      expect(readFileSync(written, 'utf8')).toContain(`name: ${NAME}`);
      await deployAnew(1, 2);
      await succeeds('restore', file, '--yes');
      await allRun(3);
      expect(
        (await succeeds('deploy')).events.find(({ event }) => event === 'deploy.done'),
      ).toMatchObject({ changed: 0 });
    });
  }
});
