/**
 * What a URI of a task says: where the file is, what it is called, which checksum it must have. Pure.
 * Source: mesos-kernel §6.7. The checksum is ours: `#sha256=<hex>` behind an address, which no server ever sees.
 */

import { basename, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CommandInfo_URI } from '@dcos/wire';

export type UriSource =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'http'; readonly url: URL };

export interface ParsedUri {
  readonly source: UriSource;
  /** The name of the file in the sandbox, which may have directories. */
  readonly name: string;
  /** SHA-256 in hexadecimal digits. */
  readonly checksum?: string;
}

const CHECKSUM = /^#sha256=([0-9a-fA-F]{64})$/;
const SCHEME = /^[a-zA-Z][\w+.-]*:\/\//;
/** Schemes that the original gives to a Hadoop client. */
const HADOOP = /^(?:hdfs|hftp|s3|s3a|s3n|webhdfs|gs|wasb|abfs)s?:$/;
const FTP = /^(?:ftp|ftps|sftp):$/;

/**
 * Reads a URI. Throws an error that says what to do.
 * @param frameworksHome Where relative paths begin; without it there are none.
 */
export function parseUri(
  { value, output_file }: CommandInfo_URI,
  frameworksHome: string | undefined,
): ParsedUri {
  if (value === '' || value.includes('\0')) throw new Error('the URI is empty or not a text');
  if (isAbsolute(value)) return named({ kind: 'file', path: value }, output_file);
  if (!URL.canParse(value)) {
    if (SCHEME.test(value)) throw new Error('the address is not valid');
    if (frameworksHome === undefined)
      throw new Error('a relative path needs an agent with frameworksHome');
    return named({ kind: 'file', path: join(frameworksHome, value) }, output_file);
  }
  const url = new URL(value);
  const [, checksum] = CHECKSUM.exec(url.hash) ?? [];
  const found = named(sourceOf(url), output_file);
  return checksum === undefined ? found : { ...found, checksum: checksum.toLowerCase() };
}

function sourceOf(url: URL): UriSource {
  const { protocol } = url;
  if (protocol === 'file:') return { kind: 'file', path: fileURLToPath(url) };
  if (protocol === 'http:' || protocol === 'https:') return { kind: 'http', url };
  const scheme = protocol.slice(0, -1);
  if (FTP.test(protocol))
    throw new Error(`'${scheme}' is not supported; serve the file over HTTP or HTTPS`);
  if (HADOOP.test(protocol))
    throw new Error(
      `'${scheme}' needs a Hadoop client, which this agent does not use; give an address with HTTP or HTTPS`,
    );
  throw new Error(`the scheme '${scheme}' is not supported; use http, https, file or a path`);
}

function named(source: UriSource, outputFile: string | undefined): ParsedUri {
  if (outputFile !== undefined) return { source, name: outputFile };
  const path = source.kind === 'file' ? source.path : source.url.pathname;
  if (path.endsWith('/')) throw new Error('the URI names no file; give it an output_file');
  return { source, name: basename(path) };
}

/** The URI as it may be shown: without whoever is named in it, since tokens stand in the place of names as well. */
export function shownUri(value: string): string {
  if (URL.canParse(value)) {
    const url = new URL(value);
    if (url.username === '' && url.password === '') return value;
    url.username = '';
    url.password = '';
    return url.href;
  }
  // Where it cannot be read, a slash may belong to a password.
  return value.replace(/^([a-zA-Z][\w+.-]*:[/\\]*).*@/s, '$1');
}
