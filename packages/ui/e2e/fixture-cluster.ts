/**
 * The cluster behind the fixture server: apps in every state that the console can show, on a dozen
 * nodes. Deterministic: names, amounts and times come from the definitions below.
 */

import { agentId, hex, hostname } from './fixture-names.ts';
import { FixtureIncidents } from './fixture-incidents.ts';
import { queueRows } from './fixture-queue.ts';

interface TaskSpec {
  readonly id: string;
  readonly host: number;
  readonly state: string;
  readonly alive?: boolean;
}

interface AppSpec {
  readonly definition: Readonly<Record<string, unknown>> & { readonly id: string };
  readonly instances: number;
  readonly cpus: number;
  readonly mem: number;
  readonly tasks: readonly TaskSpec[];
  readonly hasChecks: boolean;
}

const MINUTE_MS = 60_000;

export class FixtureCluster {
  readonly #apps = new Map<string, AppSpec>();
  readonly #marathonListeners = new Set<(type: string, payload: object) => void>();
  readonly #masterListeners = new Set<(event: unknown) => void>();
  readonly #startedMs = Date.now();
  readonly #nodes: number;
  #lines = 0;
  #serial = 0;
  deployments: unknown[] = [];
  readonly incidents = new FixtureIncidents();

  constructor(nodes: number) {
    this.#nodes = nodes;
  }

  /** Adds an app with its tasks; what is left out runs and is well. */
  add(
    id: string,
    spec: {
      instances: number;
      running?: number;
      staged?: number;
      unhealthy?: number;
      cpus: number;
      mem: number;
      disk?: number;
      hasChecks: boolean;
      labels?: Record<string, string>;
      constraints?: string[][];
    },
  ): void {
    const running = spec.running ?? spec.instances;
    const tasks: TaskSpec[] = [];
    for (let index = 0; index < running + (spec.staged ?? 0); index += 1) {
      this.#serial += 1;
      tasks.push({
        id: `${id.slice(1).replaceAll('/', '_')}.instance-${hex(this.#serial)}-1f0e-11ee-8c99-0242ac110002._app.1`,
        host:
          spec.constraints === undefined ? (this.#serial * 5) % this.#nodes : index % this.#nodes,
        state: index < running ? 'TASK_RUNNING' : 'TASK_STAGING',
        ...(spec.hasChecks && index < running ? { alive: index >= (spec.unhealthy ?? 0) } : {}),
      });
    }
    this.#apps.set(id, {
      definition: {
        id,
        cmd: 'python3 -m http.server $PORT0',
        disk: spec.disk ?? 0,
        labels: spec.labels ?? {},
        constraints: spec.constraints ?? [],
        healthChecks: spec.hasChecks
          ? [{ protocol: 'HTTP', path: '/', portIndex: 0, intervalSeconds: 5 }]
          : [],
        portDefinitions: [{ port: 10_000 + this.#serial, protocol: 'tcp', name: 'default' }],
      },
      instances: spec.instances,
      cpus: spec.cpus,
      mem: spec.mem,
      tasks,
      hasChecks: spec.hasChecks,
    });
  }

  apps(): readonly unknown[] {
    return [...this.#apps.keys()].map((id) => this.find(id));
  }

  find(id: string): unknown {
    const app = this.#apps.get(id);
    if (app === undefined) return undefined;
    const running = app.tasks.filter((task) => task.state === 'TASK_RUNNING');
    const ageMs = (id.length % 7) * 47 * MINUTE_MS + 3 * MINUTE_MS;
    const version = new Date(this.#startedMs - ageMs).toISOString();
    return {
      ...app.definition,
      instances: app.instances,
      cpus: app.cpus,
      mem: app.mem,
      version,
      versionInfo: { lastScalingAt: version, lastConfigChangeAt: version },
      tasksStaged: app.tasks.length - running.length,
      tasksRunning: running.length,
      tasksHealthy: running.filter((task) => task.alive === true).length,
      tasksUnhealthy: running.filter((task) => task.alive === false).length,
      deployments: id === '/mailer' ? [{ id: '1c2b6f0e-58a1-4f3a-9a53-0f8f4f5f9b11' }] : [],
      tasks: app.tasks.map((task) => this.#task(id, task, version)),
      ...(id === '/importer' || id === '/payments' ? { lastTaskFailure: this.#failure(id) } : {}),
      taskStats: this.#stats(app),
    };
  }

  #task(appId: string, task: TaskSpec, version: string): unknown {
    const time = new Date(this.#startedMs - 3 * MINUTE_MS).toISOString();
    return {
      id: task.id,
      appId,
      host: hostname(task.host),
      state: task.state,
      slaveId: agentId(task.host),
      ports: [31_000 + (Number.parseInt(task.id.slice(-40, -36), 16) % 900 || 7)],
      ipAddresses: [{ ipAddress: `10.0.1.${task.host + 10}`, protocol: 'IPv4' }],
      stagedAt: time,
      ...(task.state === 'TASK_RUNNING' ? { startedAt: time } : {}),
      version,
      ...(task.alive === undefined
        ? {}
        : {
            healthCheckResults: [
              {
                alive: task.alive,
                consecutiveFailures: task.alive ? 0 : 2,
                lastFailureCause: task.alive ? null : 'HTTP status 503',
              },
            ],
          }),
    };
  }

  #failure(appId: string): unknown {
    return {
      appId,
      host: hostname(3),
      message: 'Command exited with status 1',
      state: 'TASK_FAILED',
      taskId: `${appId.slice(1)}.instance-0a1b2c3d-1f0e-11ee-8c99-0242ac110002._app.4`,
      timestamp: new Date(this.#startedMs - 2 * MINUTE_MS).toISOString(),
      version: new Date(this.#startedMs - 60 * MINUTE_MS).toISOString(),
      slaveId: agentId(3),
    };
  }

  #stats(app: AppSpec): unknown {
    const counts = {
      running: app.tasks.filter((task) => task.state === 'TASK_RUNNING').length,
      staged: app.tasks.filter((task) => task.state !== 'TASK_RUNNING').length,
      healthy: app.tasks.filter((task) => task.alive === true).length,
      unhealthy: app.tasks.filter((task) => task.alive === false).length,
    };
    const stats = { stats: { counts, lifeTime: { averageSeconds: 240, medianSeconds: 212 } } };
    return { startedAfterLastScaling: stats, withLatestConfig: stats, totalSummary: stats };
  }

  queue(): readonly unknown[] {
    return queueRows({ startedMs: this.#startedMs, find: (id) => this.find(id) });
  }

  stateSummary(): unknown {
    const slaves = Array.from({ length: this.#nodes }, (_, index) => this.#agent(index));
    return {
      hostname: 'localhost',
      cluster: 'workshop',
      slaves,
      frameworks: [{ id: 'fixture-0000', name: 'marathon', active: true }],
    };
  }

  #agent(index: number): Record<string, unknown> {
    const total = { cpus: 8, mem: 16_384, disk: 102_400, gpus: 0, ports: '[31000-32000]' };
    const used = { cpus: 0, mem: 0, disk: 0, gpus: 0 };
    let running = 0;
    let staging = 0;
    for (const app of this.#apps.values()) {
      for (const task of app.tasks) {
        if (task.host !== index) continue;
        used.cpus += app.cpus;
        used.mem += app.mem;
        used.disk += Number(app.definition['disk'] ?? 0);
        if (task.state === 'TASK_RUNNING') running += 1;
        else staging += 1;
      }
    }
    const isPublic = index >= this.#nodes - 2;
    return {
      id: agentId(index),
      hostname: hostname(index),
      port: 5051,
      attributes: { rack: `r${(index % 3) + 1}`, ...(isPublic ? { public_ip: 'true' } : {}) },
      pid: `slave(1)@10.0.1.${index + 10}:5051`,
      registered_time: this.#startedMs / 1000 - 86_400,
      resources: total,
      used_resources: used,
      offered_resources: { cpus: 0, mem: 0, disk: 0, gpus: 0 },
      reserved_resources: isPublic ? { slave_public: total } : {},
      unreserved_resources: total,
      active: index !== 4 || this.#nodes < 5,
      deactivated: false,
      version: '1.12.0',
      TASK_RUNNING: running,
      TASK_STAGING: staging,
      TASK_STARTING: 0,
      TASK_KILLING: 0,
      TASK_FAILED: 2,
    };
  }

  metrics(): Readonly<Record<string, number>> {
    const agents = Array.from({ length: this.#nodes }, (_, index) => this.#agent(index));
    const sum = (member: 'resources' | 'used_resources', name: string): number =>
      agents.reduce((all, agent) => {
        const amounts = agent[member] as Record<string, number>;
        return all + (amounts[name] ?? 0);
      }, 0);
    const wave = Math.sin(Date.now() / 40_000);
    const metrics: Record<string, number> = {
      'master/slaves_active': this.#nodes,
      'master/tasks_running': 60,
      'master/tasks_staging': 2,
      'master/tasks_failed': Math.floor(Date.now() / 17_000) % 1000,
    };
    for (const name of ['cpus', 'mem', 'disk']) {
      metrics[`master/${name}_total`] = sum('resources', name);
      metrics[`master/${name}_used`] = sum('used_resources', name) * (1 + wave * 0.04);
    }
    return metrics;
  }

  snapshot(): unknown {
    const tasks = [...this.#apps].flatMap(([id, app]) =>
      app.tasks.map((task) => this.#masterTask(id, app, task)),
    );
    return {
      get_tasks: { tasks, completed_tasks: [], unreachable_tasks: [] },
      get_executors: { executors: [] },
      get_frameworks: {
        frameworks: [{ framework_info: { id: { value: 'fixture-0000' }, name: 'marathon' } }],
      },
      get_agents: {
        agents: Array.from({ length: this.#nodes }, (_, index) => ({
          agent_info: { id: { value: agentId(index) }, hostname: hostname(index) },
        })),
      },
    };
  }

  #masterTask(id: string, app: AppSpec, task: TaskSpec): unknown {
    const scalar = (name: string, value: number): unknown => ({
      name,
      type: 'SCALAR',
      scalar: { value },
    });
    return {
      name: id
        .split('/')
        .filter((part) => part !== '')
        .toReversed()
        .join('.'),
      task_id: { value: task.id },
      framework_id: { value: 'fixture-0000' },
      agent_id: { value: agentId(task.host) },
      state: task.state,
      resources: [scalar('cpus', app.cpus), scalar('mem', app.mem)],
      statuses: [
        {
          state: task.state,
          timestamp: this.#startedMs / 1000 - 200,
          ...(task.alive === undefined ? {} : { healthy: task.alive }),
        },
      ],
    };
  }

  faultsOf(
    definition: Readonly<Record<string, unknown>>,
  ): readonly { path: string; errors: string[] }[] {
    const faults: { path: string; errors: string[] }[] = [];
    if (typeof definition['cpus'] === 'number' && definition['cpus'] < 0.001) {
      faults.push({ path: '/cpus', errors: ['error.min'] });
    }
    if (typeof definition['id'] !== 'string' || definition['id'].endsWith('/')) {
      faults.push({ path: '/id', errors: ['error.pattern'] });
    }
    return faults;
  }

  create(definition: Readonly<Record<string, unknown>>): unknown {
    const given = String(definition['id']);
    const id = given.startsWith('/') ? given : `/${given}`;
    this.add(id, {
      instances: Number(definition['instances'] ?? 1),
      cpus: Number(definition['cpus'] ?? 1),
      mem: Number(definition['mem'] ?? 128),
      hasChecks: false,
    });
    this.#emit('group_change_success', { groupId: '/', version: new Date().toISOString() });
    return this.find(id);
  }

  update(id: string, change: Readonly<Record<string, unknown>>): void {
    const app = this.#apps.get(id);
    if (app === undefined) return;
    const { instances } = change;
    if (typeof instances === 'number') {
      this.#apps.delete(id);
      this.add(id, { instances, cpus: app.cpus, mem: app.mem, hasChecks: app.hasChecks });
    }
    this.#emit('deployment_success', {
      id: 'd-1',
      plan: { steps: [{ actions: [{ action: 'ScaleApplication', app: id }] }] },
    });
  }

  remove(id: string): void {
    this.#apps.delete(id);
    this.#emit('group_change_success', { groupId: '/', version: new Date().toISOString() });
  }

  versions(id: string): readonly string[] {
    const app = this.find(id) as { version: string };
    const newest = Date.parse(app.version);
    return [0, 90, 400].map((minutes) => new Date(newest - minutes * MINUTE_MS).toISOString());
  }

  definition(id: string, version: string): unknown {
    const app = this.#apps.get(id);
    const isNewest = this.versions(id)[0] === version;
    return {
      ...app?.definition,
      instances: app?.instances,
      cpus: app?.cpus,
      mem: isNewest ? app?.mem : (app?.mem ?? 0) / 2,
      version,
    };
  }

  onMarathonEvent(listener: (type: string, payload: object) => void): () => void {
    this.#marathonListeners.add(listener);
    return () => this.#marathonListeners.delete(listener);
  }

  onMasterEvent(listener: (event: unknown) => void): () => void {
    this.#masterListeners.add(listener);
    return () => this.#masterListeners.delete(listener);
  }

  #emit(type: string, payload: object): void {
    for (const listener of this.#marathonListeners) listener(type, payload);
    for (const listener of this.#masterListeners) {
      listener({ type: 'SUBSCRIBED', subscribed: { get_state: this.snapshot() } });
    }
  }

  files(): readonly unknown[] {
    const entry = (name: string, size: number, mode = '-rw-r--r--'): unknown => ({
      path: `/sandbox/${name}`,
      size,
      mode,
      mtime: this.#startedMs / 1000 - 60,
      nlink: 1,
      uid: 'nobody',
      gid: 'nobody',
    });
    return [entry('stdout', 48_211), entry('stderr', 523), entry('data', 4096, 'drwxr-xr-x')];
  }

  logLines(file: 'stdout' | 'stderr'): readonly string[] {
    return Array.from({ length: 60 }, () => this.nextLogLine(file));
  }

  nextLogLine(file: 'stdout' | 'stderr'): string {
    this.#lines += 1;
    const time = new Date(this.#startedMs + this.#lines * 311).toISOString();
    if (file === 'stderr' || this.#lines % 9 === 0) {
      return `${time} \u001B[33mWARN\u001B[0m upstream answered slowly: ${120 + (this.#lines % 50)} ms`;
    }
    return `${time} \u001B[32mINFO\u001B[0m 10.0.1.${10 + (this.#lines % 12)} GET /cart/${this.#lines} 200 ${3 + (this.#lines % 40)} ms`;
  }
}
