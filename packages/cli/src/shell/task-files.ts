/**
 * `dcos task ls` and `dcos task download`: files in the sandbox of a task.
 */

import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { isGlob, matchesGlob } from '../core/glob.ts';
import { objectsOf } from '../core/json-field.ts';
import { selectOneTask } from '../core/mesos-tasks.ts';
import type { ClusterTask, TaskScope } from '../core/mesos-tasks.ts';
import {
  joinSandboxPath,
  listingHeadings,
  listingRows,
  parseListing,
  sandboxPath,
} from '../core/sandbox.ts';
import type { SandboxFile } from '../core/sandbox.ts';
import { fetchObject, fetchState } from './documents.ts';
import { cliError, orThrow } from './errors.ts';
import { printJson, printLines } from './output.ts';
import { renderTable } from '../core/table.ts';
import { openSession } from './session.ts';
import type { Session } from './session.ts';
import type { Invocation } from './terminal.ts';

export interface ListFilesFlags {
  readonly long?: boolean;
  readonly json?: boolean;
}

export interface ListFilesRequest {
  readonly filter: string;
  readonly path: string;
  readonly scope: TaskScope;
  readonly flags: ListFilesFlags;
}

/** Prints a folder of the sandbox. @throws OperationError with a code of errors.ts */
export async function listFiles(invocation: Invocation, request: ListFilesRequest): Promise<void> {
  const { terminal } = invocation;
  const session = await openSession(invocation);
  const sandbox = await openSandbox(session, request.filter, request.scope);
  const path = joinSandboxPath(sandbox.path, request.path);
  const files = await browse(session, sandbox, path);
  if (files === undefined) {
    throw cliError('CLI_NOT_FOUND', `there is no "${request.path}" in the sandbox`);
  }
  if (request.flags.json === true) {
    await printJson(
      terminal,
      files.map((file) => ({ ...file })),
    );
  } else if (request.flags.long === true) {
    await terminal.print(renderTable({ headings: listingHeadings, rows: listingRows(files) }));
  } else {
    await printLines(
      terminal,
      files.map((file) => file.name),
    );
  }
}

export interface DownloadRequest {
  readonly filter: string;
  readonly pattern: string;
  readonly scope: TaskScope;
  readonly targetDirectory: string;
}

const filesMax = 100_000;
const depthMax = 64;

/** Copies the files that match, with their folders. @throws OperationError */
export async function downloadFiles(
  invocation: Invocation,
  request: DownloadRequest,
): Promise<void> {
  const session = await openSession(invocation);
  const sandbox = await openSandbox(session, request.filter, request.scope);
  const target = resolve(invocation.terminal.workingDirectory, request.targetDirectory);
  const files = await collectFiles(session, sandbox, request.pattern);
  if (files.length === 0) {
    throw cliError('CLI_NOT_FOUND', `no file in the sandbox matches "${request.pattern}"`);
  }
  for (const file of files) await downloadFile(session, sandbox, file, target);
}

interface Sandbox {
  readonly task: ClusterTask;
  readonly path: string;
  /** Address of the agent's file service. */
  readonly filesUrl: string;
}

async function openSandbox(session: Session, filter: string, scope: TaskScope): Promise<Sandbox> {
  const state = await fetchState(session);
  const task = orThrow(selectOneTask(state, { filter, scope }), 'CLI_NOT_FOUND');
  const filesUrl = `${session.clusterUrl}/agent/${encodeURIComponent(task.agentId)}/files`;
  const offered = await fetchObject(session, `${filesUrl}/debug`);
  return { task, filesUrl, path: orThrow(sandboxPath(offered, task), 'CLI_NOT_FOUND') };
}

async function browse(
  session: Session,
  sandbox: Sandbox,
  path: string,
): Promise<readonly SandboxFile[] | undefined> {
  const reply = await session.client.request(`${sandbox.filesUrl}/browse`, {
    query: { path },
    accept: [404],
  });
  if (reply.status === 404) return undefined;
  const { parseReply } = await import('./http-client.ts');
  return parseListing(objectsOf(parseReply(reply, 'GET')));
}

interface FoundFile {
  readonly path: string;
  /** Path inside the sandbox. */
  readonly relative: string;
}

// A pattern that matches a folder takes everything in it.
async function collectFiles(
  session: Session,
  sandbox: Sandbox,
  pattern: string,
): Promise<readonly FoundFile[]> {
  const found: FoundFile[] = [];
  const visit = async (path: string, prefix: string, taken: boolean, depth: number) => {
    if (depth > depthMax) throw cliError('CLI_BAD_REPLY', `folders are nested too deeply: ${path}`);
    for (const file of (await browse(session, sandbox, path)) ?? []) {
      const relative = `${prefix}${file.name}`;
      const matches = taken || matchesPath(pattern, relative);
      if (file.directory) await visit(file.path, `${relative}/`, matches, depth + 1);
      else if (matches) found.push({ path: file.path, relative });
      if (found.length > filesMax) {
        throw cliError('CLI_BAD_REPLY', `the sandbox has more than ${filesMax} matching files`);
      }
    }
  };
  await visit(sandbox.path, '', false, 0);
  return found;
}

function matchesPath(pattern: string, relative: string): boolean {
  if (!isGlob(pattern)) return relative === pattern.replace(/^\/+/, '');
  return pattern.includes('/')
    ? matchesGlob(pattern, relative)
    : matchesGlob(pattern, relative.slice(relative.lastIndexOf('/') + 1));
}

async function downloadFile(
  session: Session,
  sandbox: Sandbox,
  file: FoundFile,
  target: string,
): Promise<void> {
  const destination = join(target, file.relative);
  // Names come from a task: none of them may lead out of the target folder.
  if (!destination.startsWith(target.endsWith(sep) ? target : `${target}${sep}`)) {
    throw cliError(
      'CLI_BAD_REPLY',
      `the file "${file.relative}" would be written outside of ${target}`,
    );
  }
  await mkdir(dirname(destination), { recursive: true });
  const path = encodeURIComponent(file.path);
  const response = await session.client.stream(`${sandbox.filesUrl}/download?path=${path}`);
  const partial = `${destination}.part`;
  try {
    await pipeline(response.body, createWriteStream(partial));
    await rename(partial, destination);
  } catch (error) {
    await rm(partial, { force: true });
    throw cliError('CLI_UNREACHABLE', `the download of "${file.relative}" broke off`, {
      cause: error,
    });
  }
}
