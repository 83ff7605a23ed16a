/**
 * Where the host is: from the settings, a file, or a program that asks the provider of the machine, once at each start.
 * An agent that should have a domain does not start without one: frameworks would put it into the wrong zone.
 * Source: mesos-kernel §10, and the fault-domain-detect scripts of the distribution.
 */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { errorText, OperationError } from '@dcos/base';
import { readSetting } from '@dcos/telemetry';
import type { DomainInfo } from '@dcos/wire';
import { domainSchema, type AgentConfig } from '../config.ts';

/** A script that asks three providers waits three seconds for each. */
const SCRIPT_TIMEOUT_MS = 30_000;
const OUTPUT_BYTES_MAX = 64 * 1024;

const run = promisify(execFile);

/** The domain, or undefined where none is configured. Throws FAULT_DOMAIN_INVALID. */
export async function faultDomain(
  { domain, faultDomainScript }: Pick<AgentConfig, 'domain' | 'faultDomainScript'>,
  timeoutMs: number = SCRIPT_TIMEOUT_MS,
): Promise<DomainInfo | undefined> {
  if (domain !== undefined && faultDomainScript !== undefined)
    throw invalid("'domain' and 'faultDomainScript' exclude each other");
  if (faultDomainScript !== undefined)
    return parse(await outputOf(faultDomainScript, timeoutMs), faultDomainScript);
  if (typeof domain !== 'string') return domain;
  return parse(readSetting('FAULT_DOMAIN_INVALID', domain), domain);
}

async function outputOf(script: string, timeoutMs: number): Promise<string> {
  try {
    const { stdout } = await run(script, [], {
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      maxBuffer: OUTPUT_BYTES_MAX,
    });
    return stdout;
  } catch (error) {
    const why = isKilled(error) ? `it did not end within ${timeoutMs} ms` : errorText(error);
    throw invalid(`${script} failed: ${why.trim()}`);
  }
}

function isKilled(error: unknown): boolean {
  return (
    error instanceof Error &&
    'killed' in error &&
    error.killed === true &&
    !('code' in error && error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER')
  );
}

function parse(text: string, origin: string): DomainInfo {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw invalid(`${origin} does not say a domain as JSON: ${errorText(error)}`);
  }
  const parsed = domainSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw invalid(`${origin} does not say a domain: ${problems.join('; ')}`);
}

function invalid(message: string): OperationError {
  return new OperationError('FAULT_DOMAIN_INVALID', message);
}
