/**
 * The v1 operator API of the agent, `POST /api/v1` in JSON and protobuf. Calls that this agent does not offer
 * yet are refused with 501 and their name. Order of checks and words as recorded.
 */

import { join } from 'node:path';
import { OperationError, operationErrorCode, type JsonObject } from '@dcos/base';
import {
  bodyBytes,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from '@dcos/http';
import type { Metrics } from '@dcos/telemetry';
import {
  MEDIA_TYPES,
  MEDIA_TYPE_RECORDIO,
  agentApi,
  decodeAs,
  encodeAs,
  encodingOfAccept,
  encodingOfContentType,
  withoutSecrets,
  type AgentInfo,
  type ExecutorInfo,
  type FileInfo,
  type Image,
  type Task,
  type VersionInfo,
} from '@dcos/wire';
import { isTerminal, taskMessage, type AgentSnapshot, type TaskRecord } from '../../core/index.ts';
import {
  answerContainerCall,
  isRecordStream,
  notAcceptable,
  takeInput,
  type ContainerApiOptions,
} from './container-api.ts';
import { containerCallOf } from './container-calls.ts';
import {
  containersMessage,
  type ContainerUsage,
  type LaunchedUsage,
  type ShownContainers,
} from './container-documents.ts';
import { isGranted, type ExecutorAccessOptions } from './executor-access.ts';
import { READ_BYTES_MAX, listFiles, readPiece } from './file-reading.ts';
import { plain } from './files-routes.ts';
import type { SandboxFiles } from './sandbox-files.ts';
import { executorName } from './state-documents.ts';

export interface OperatorApiOptions {
  readonly snapshot: () => AgentSnapshot;
  readonly info: () => AgentInfo;
  readonly ip: string;
  readonly version: VersionInfo;
  /** The body of `/version`. */
  readonly versionDocument: JsonObject;
  readonly flags: Readonly<Record<string, string>>;
  readonly files: SandboxFiles;
  readonly metrics: Metrics;
  readonly verbosity: Verbosity;
  /** Removes images that no container uses, but for these. */
  readonly pruneImages: (excluded: readonly Image[]) => Promise<void>;
  readonly usage: () => Promise<readonly ContainerUsage[]>;
  readonly launchedUsage: (shown: ShownContainers) => Promise<readonly LaunchedUsage[]>;
  readonly containers: ContainerApiOptions;
  readonly access: ExecutorAccessOptions;
}

/** How much is logged, and for how long. */
export interface Verbosity {
  readonly level: number;
  setLevel(level: number, durationMs: number): void;
}

/** Adds `POST /api/v1`. */
export function addOperatorApi(app: FastifyInstance, options: OperatorApiOptions): void {
  // Input of a session lasts as long as the session; its body is never held as a whole.
  app.addContentTypeParser(MEDIA_TYPE_RECORDIO, (_request, body, done) => done(null, body));
  app.all('/api/v1', async (request, reply) => await onCall(options, request, reply));
}

const decoder = new TextDecoder('utf-8', { fatal: true });

async function onCall(
  options: OperatorApiOptions,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  if (request.method !== 'POST') {
    reply.header('allow', 'POST');
    const text = `405 Method Not Allowed. Expecting one of { 'POST' }, but received '${request.method}'.`;
    return await plain(reply, 405, text);
  }
  const contentType = request.headers['content-type'];
  if (contentType === undefined)
    return await plain(reply, 400, "Expecting 'Content-Type' to be present");
  const isRecovering = options.snapshot().phase === 'recovering';
  if (isRecordStream(request)) {
    if (!(await isGranted(options.access, request, 'ATTACH_CONTAINER_INPUT', undefined)))
      return await plain(reply, 403, '');
    if (isRecovering) return await plain(reply, 503, 'Agent has not finished recovery');
    return await takeInput(options.containers, request, reply);
  }
  if (request.headers['message-content-type'] !== undefined) {
    const text = "Expecting 'Message-Content-Type' to be not set for non-streaming requests";
    return await plain(reply, 415, text);
  }
  const encoding = encodingOfContentType(contentType);
  if (encoding === undefined) {
    return await plain(
      reply,
      415,
      `Expecting 'Content-Type' of ${MEDIA_TYPES.json} or ${MEDIA_TYPES.protobuf}`,
    );
  }
  let call: agentApi.Call;
  try {
    call = decodeAs(encoding, agentApi.CallType, bodyBytes(request.body), (bytes) =>
      decoder.decode(bytes),
    );
  } catch (error) {
    const what =
      encoding === 'json'
        ? 'Failed to parse body into JSON'
        : 'Failed to parse body into Call protobuf';
    return await plain(
      reply,
      400,
      `${what}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  const invalid = validationProblem(call);
  if (invalid !== undefined)
    return await plain(reply, 400, `Failed to validate agent::Call: ${invalid}`);
  const asked = containerCallOf(call);
  if (typeof asked === 'string')
    return await plain(reply, 400, `Failed to validate agent::Call: ${asked}`);
  if (!(await isGranted(options.access, request, call.type, asked)))
    return await plain(reply, 403, '');
  if (asked !== undefined) {
    if (isRecovering) return await plain(reply, 503, 'Agent has not finished recovery');
    const { type } = call;
    return await answerContainerCall(options.containers, { type, asked }, request, reply);
  }
  const accept = encodingOfAccept(request.headers.accept);
  if (accept === undefined) return await notAcceptable(reply);
  try {
    if (call.type === 'SET_LOGGING_LEVEL') {
      const { level = 0, duration } = call.set_logging_level ?? {};
      options.verbosity.setLevel(level, (duration?.nanoseconds ?? 0) / 1e6);
      return await plain(reply, 200, '');
    }
    if (call.type === 'PRUNE_IMAGES') {
      await options.pruneImages(call.prune_images?.excluded_images ?? []);
      return await plain(reply, 200, '');
    }
    const response = await answer(options, call);
    return await reply
      .code(200)
      .type(MEDIA_TYPES[accept])
      .send(Buffer.from(encodeAs(accept, agentApi.ResponseType, response)));
  } catch (error) {
    const code = operationErrorCode(error);
    const status = code === undefined ? undefined : STATUS_OF[code];
    if (status === undefined || !(error instanceof Error)) throw error;
    return await plain(reply, status, error.message);
  }
}

const STATUS_OF: Readonly<Record<string, number>> = {
  FILE_ABSENT: 404,
  FILE_FORBIDDEN: 403,
  FILE_IS_DIRECTORY: 400,
  CALL_UNSUPPORTED: 501,
  CONTAINER_INVALID: 400,
};

function validationProblem(call: agentApi.Call): string | undefined {
  if (call.type === undefined) return "Expecting 'type' to be present";
  if (call.type === 'LIST_FILES' && call.list_files === undefined) {
    return "Expecting 'list_files' to be present";
  }
  if (call.type === 'SET_LOGGING_LEVEL' && call.set_logging_level === undefined) {
    return "Expecting 'set_logging_level' to be present";
  }
  if (call.type === 'READ_FILE' && call.read_file === undefined) {
    return "Expecting 'read_file' to be present";
  }
  return undefined;
}

async function answer(
  options: OperatorApiOptions,
  call: agentApi.Call,
): Promise<agentApi.Response> {
  const snapshot = options.snapshot();
  switch (call.type) {
    case 'GET_HEALTH':
      return { type: 'GET_HEALTH', get_health: { healthy: true } };
    case 'GET_FLAGS': {
      const flags = Object.entries(options.flags).map(([name, value]) => ({ name, value }));
      return { type: 'GET_FLAGS', get_flags: { flags } };
    }
    case 'GET_VERSION':
      return { type: 'GET_VERSION', get_version: { version_info: options.version } };
    case 'GET_METRICS': {
      const metrics = Object.entries(options.metrics.snapshot()).map(([name, value]) => ({
        name,
        value,
      }));
      return { type: 'GET_METRICS', get_metrics: { metrics } };
    }
    case 'GET_STATE':
      return {
        type: 'GET_STATE',
        get_state: {
          get_tasks: tasksResponse(snapshot),
          get_executors: executorsResponse(snapshot),
          get_frameworks: frameworksResponse(snapshot),
        },
      };
    case 'GET_TASKS':
      return { type: 'GET_TASKS', get_tasks: tasksResponse(snapshot) };
    case 'GET_EXECUTORS':
      return { type: 'GET_EXECUTORS', get_executors: executorsResponse(snapshot) };
    case 'GET_OPERATIONS':
      return {
        type: 'GET_OPERATIONS',
        get_operations: snapshot.operations.length === 0 ? {} : { operations: snapshot.operations },
      };
    case 'GET_RESOURCE_PROVIDERS':
      return { type: 'GET_RESOURCE_PROVIDERS', get_resource_providers: {} };
    case 'GET_LOGGING_LEVEL':
      return { type: 'GET_LOGGING_LEVEL', get_logging_level: { level: options.verbosity.level } };
    case 'GET_FRAMEWORKS':
      return { type: 'GET_FRAMEWORKS', get_frameworks: frameworksResponse(snapshot) };
    case 'GET_AGENT': {
      const id = snapshot.agentId === undefined ? {} : { id: { value: snapshot.agentId } };
      return {
        type: 'GET_AGENT',
        get_agent: {
          agent_info: { ...options.info(), ...id },
          ...(snapshot.drain !== undefined && { drain_config: snapshot.drain }),
        },
      };
    }
    case 'GET_CONTAINERS':
      return {
        type: 'GET_CONTAINERS',
        get_containers: containersMessage(
          options.ip,
          await options.usage(),
          await options.launchedUsage({
            nested: call.get_containers?.show_nested ?? false,
            standalone: call.get_containers?.show_standalone ?? false,
          }),
        ),
      };
    case 'LIST_FILES':
      return {
        type: 'LIST_FILES',
        list_files: await listing(options, call.list_files?.path ?? ''),
      };
    case 'READ_FILE':
      return { type: 'READ_FILE', read_file: await reading(options, call.read_file) };
    default:
      throw new OperationError(
        'CALL_UNSUPPORTED',
        `${call.type ?? 'UNKNOWN'} is not supported by this agent yet`,
      );
  }
}

function known(tasks: readonly TaskRecord[]): readonly TaskRecord[] {
  return tasks.filter((task) => task.runtime !== 'none');
}

function tasksResponse(snapshot: AgentSnapshot): agentApi.Response_GetTasks {
  const live = known(snapshot.live);
  const message = (task: TaskRecord): Task => taskMessage(task, snapshot.agentId ?? '');
  const isQueued = (task: TaskRecord): boolean => task.state === 'TASK_STAGING';
  return {
    // Nothing waits for a decision here: a task is queued or refused at once.
    pending_tasks: [],
    queued_tasks: live.filter(isQueued).map(message),
    launched_tasks: live.filter((task) => !isQueued(task) && !isTerminal(task.state)).map(message),
    terminated_tasks: live.filter((task) => isTerminal(task.state)).map(message),
    completed_tasks: known(snapshot.completed).map(message),
  };
}

function executorsResponse(snapshot: AgentSnapshot): agentApi.Response_GetExecutors {
  const executor = (task: TaskRecord): { readonly executor_info: ExecutorInfo } => ({
    executor_info: {
      executor_id: { value: task.taskId },
      framework_id: { value: task.frameworkId },
      ...(task.info.command === undefined ? {} : { command: withoutSecrets(task.info.command) }),
      resources: task.info.resources ?? [],
      name: executorName(task.info),
      source: task.taskId,
    },
  });
  return {
    executors: [
      ...known(snapshot.live)
        .filter(({ group, executor: own }) => group === undefined && own === undefined)
        .map(executor),
      ...snapshot.executors.map(({ info }) => ({ executor_info: withoutSecrets(info) })),
    ],
    completed_executors: [
      ...known(snapshot.completed)
        .filter(({ executor: own }) => own === undefined)
        .map(executor),
      ...snapshot.completedExecutors.map(({ info }) => ({ executor_info: info })),
    ],
  };
}

function frameworksResponse(snapshot: AgentSnapshot): agentApi.Response_GetFrameworks {
  const isLive = (id: string): boolean => snapshot.live.some((task) => task.frameworkId === id);
  const all = [...snapshot.frameworks].map(([id, record]) => ({ id, framework_info: record.info }));
  return {
    frameworks: all
      .filter(({ id }) => isLive(id))
      .map(({ framework_info }) => ({ framework_info })),
    completed_frameworks: all
      .filter(({ id }) => !isLive(id))
      .map(({ framework_info }) => ({ framework_info })),
  };
}

async function pathOf(options: OperatorApiOptions, path: string): Promise<string> {
  const located = await options.files.locate(path);
  if (located.kind === 'found') return located.path;
  throw new OperationError(located.kind === 'absent' ? 'FILE_ABSENT' : 'FILE_FORBIDDEN', '');
}

async function listing(
  options: OperatorApiOptions,
  path: string,
): Promise<agentApi.Response_ListFiles> {
  const entries = await listFiles(await pathOf(options, path));
  const infos = entries.map(({ name, stats, owner, group }): FileInfo => ({
    path: join(path, name),
    nlink: stats.nlink,
    size: stats.size,
    mtime: { nanoseconds: Math.floor(stats.mtimeMs / 1000) * 1e9 },
    mode: stats.mode,
    uid: owner,
    gid: group,
  }));
  return { file_infos: infos };
}

async function reading(
  options: OperatorApiOptions,
  call: agentApi.Call_ReadFile | undefined,
): Promise<agentApi.Response_ReadFile> {
  const path = await pathOf(options, call?.path ?? '');
  const { size, bytes } = await readPiece(path, call?.offset ?? 0, call?.length ?? READ_BYTES_MAX);
  return { size, data: bytes };
}
