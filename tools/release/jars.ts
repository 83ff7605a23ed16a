/**
 * ZooKeeper and what it stands on, as its makers gave them to Maven Central: hosts need nothing of it from their
 * distribution, of which some have none. Which ones is written in `infra/zookeeper/jars.json`, with the digest of each file;
 * they are kept in `.release/cache`. Another place of the same layout is asked when `DCOS_MAVEN_REPOSITORY` names one.
 */

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorText } from '@dcos/base';
import { jarFile, parseJars, type Jar } from '@dcos/installer/release';

const LIST = 'infra/zookeeper/jars.json';
const MAVEN_CENTRAL = 'https://repo1.maven.org/maven2';
const TIMEOUT_MS = 120_000;
/** The largest of them has a tenth. */
const JAR_BYTES_MAX = 32 * 2 ** 20;

/** What `infra/zookeeper/jars.json` lists. @param root of the checkout */
export function zooKeeperJars(root: string): readonly Jar[] {
  return parseJars(readFileSync(join(root, LIST), 'utf8'));
}

/**
 * The content of a jar.
 * @param root of the checkout.
 * @throws Error when it is neither kept nor can be fetched, or is another one than the list says
 */
export async function jarContent(root: string, jar: Jar): Promise<Buffer> {
  const cache = join(root, '.release', 'cache');
  // Named by its digest, so that a changed line of the list is another file.
  const kept = join(cache, `${jar.sha256}.jar`);
  if (existsSync(kept)) return verified(jar, readFileSync(kept));
  const content = verified(jar, await fetched(jar));
  mkdirSync(cache, { recursive: true });
  const scratch = `${kept}.${process.pid}`;
  writeFileSync(scratch, content);
  renameSync(scratch, kept);
  return content;
}

async function fetched(jar: Jar): Promise<Buffer> {
  const base = process.env['DCOS_MAVEN_REPOSITORY'] ?? MAVEN_CENTRAL;
  const url = `${base}/${jar.group.replaceAll('.', '/')}/${jar.name}/${jar.version}/${jarFile(jar)}`;
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    return await bounded(answer);
  } catch (error) {
    const text = `${url} cannot be fetched: ${errorText(error)}`;
    throw new Error(`${text}; DCOS_MAVEN_REPOSITORY may name another place`, { cause: error });
  }
}

async function bounded(answer: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.length;
    if (bytes > JAR_BYTES_MAX) throw new Error(`it has more than ${JAR_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function verified(jar: Jar, content: Buffer): Buffer {
  if (createHash('sha256').update(content).digest('hex') === jar.sha256) return content;
  throw new Error(`${jarFile(jar)} is another one than ${LIST} says`);
}
