/**
 * JSON documents that a command takes: from a file, from an address, or from standard input.
 */

import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { JsonValue } from '@dcos/base';
import { findJsonError } from '../core/json-syntax.ts';
import { cliError } from './errors.ts';
import { HttpClient } from './http-client.ts';
import type { Terminal } from './terminal.ts';

const fileBytesMax = 64 * 1024 * 1024;
const downloadTimeoutMs = 60_000;

export interface JsonInput {
  readonly value: JsonValue;
  /** Where it came from, for messages. */
  readonly source: string;
}

/** Reads a definition from a path or an http(s) URL; without one from standard input. */
export async function readJsonInput(
  terminal: Terminal,
  location: string | undefined,
): Promise<JsonInput> {
  if (location === undefined) {
    if (terminal.inputIsTerminal) {
      throw cliError('CLI_USAGE', 'give a file or a URL, or pipe JSON into this command');
    }
    return parse(await terminal.readInput(), 'standard input');
  }
  if (/^https?:\/\//.test(location)) {
    // An address elsewhere must not see the token of the cluster.
    const client = new HttpClient({
      token: '',
      timeoutMs: downloadTimeoutMs,
      security: { verify: true },
      environment: terminal.environment,
    });
    return parse((await client.request(location)).body, location);
  }
  return parse(await readText(resolve(terminal.workingDirectory, location), location), location);
}

async function readText(path: string, shown: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > fileBytesMax) {
      throw cliError('CLI_INPUT', `${shown} is larger than ${fileBytesMax} bytes`);
    }
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (code.startsWith('CLI_')) throw error;
    const reason =
      code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : code;
    throw cliError('CLI_INPUT', `cannot read ${shown}: ${reason}`, { cause: error });
  }
}

function parse(text: string, source: string): JsonInput {
  if (text.trim() === '') throw cliError('CLI_INPUT', `${source} is empty`);
  try {
    return { value: JSON.parse(text) as JsonValue, source };
  } catch (error) {
    const place = findJsonError(text);
    const reason =
      place === undefined
        ? String(error)
        : `line ${place.line}, column ${place.column}: expected ${place.expected}, found ${place.found}`;
    throw cliError('CLI_INPUT', `${source} is not valid JSON: ${reason}`, { cause: error });
  }
}
