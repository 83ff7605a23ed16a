/**
 * The list of what others made that is in a release, as CycloneDX 1.6: every npm package of which a module is in a
 * bundle or in the console, the packages with native code, Node, and ZooKeeper with what it stands on. What is only needed to build is not in it.
 *
 * It is the same for each build of the same release: no time, and a serial number that comes from the content.
 */

import { createHash } from 'node:crypto';
import type { Jar } from '@dcos/installer/release';
import type { NpmPackage } from './packages.ts';

export interface SbomSubject {
  readonly version: string;
  readonly platform: string;
  /** The package that Node came in. */
  readonly node: NpmPackage;
  /** In any order; the same package may come twice. */
  readonly packages: readonly NpmPackage[];
  readonly jars: readonly Jar[];
}

export function sbomText({ version, platform, node, packages, jars }: SbomSubject): string {
  const unique = new Map([node, ...packages].map((each) => [purlOf(each), each]));
  const subject = {
    type: 'application',
    'bom-ref': 'dcos',
    name: 'dcos',
    version,
    licenses: [{ expression: 'Apache-2.0' }],
    properties: [{ name: 'platform', value: platform }],
  };
  const components = [
    nodeItself(node),
    ...[...unique]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([, each]) => library(each)),
    ...jars.map(javaLibrary),
  ];
  const digest = createHash('sha256')
    .update(JSON.stringify([subject, components]))
    .digest('hex');
  const bom = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidOf(digest)}`,
    version: 1,
    metadata: { component: subject },
    components,
  };
  return `${JSON.stringify(bom, undefined, 1)}\n`;
}

/** As npm packages are named in SBOMs: the `@` of a scope is escaped, its slash is not. */
export function purlOf({ name, version }: Pick<NpmPackage, 'name' | 'version'>): string {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

function library(of: NpmPackage): object {
  const [scope, bare] = of.name.startsWith('@') ? of.name.split('/') : [undefined, of.name];
  return {
    type: 'library',
    'bom-ref': purlOf(of),
    ...(scope !== undefined && { group: scope }),
    name: bare,
    version: of.version,
    hashes: [{ alg: 'SHA-512', content: sha512Of(of.integrity) }],
    licenses: [{ expression: of.licence }],
    purl: purlOf(of),
  };
}

function javaLibrary({ group, name, version, licence, sha256 }: Jar): object {
  const purl = `pkg:maven/${group}/${name}@${version}`;
  return {
    type: 'library',
    'bom-ref': purl,
    group,
    name,
    version,
    hashes: [{ alg: 'SHA-256', content: sha256 }],
    licenses: [{ expression: licence }],
    purl,
  };
}

/** Scanners know Node by this name, and not by that of the package. */
function nodeItself({ version }: NpmPackage): object {
  return {
    type: 'platform',
    'bom-ref': `node@${version}`,
    name: 'node',
    version,
    cpe: `cpe:2.3:a:nodejs:node.js:${version}:*:*:*:*:*:*:*`,
    licenses: [{ expression: 'MIT' }],
    purl: `pkg:generic/node@${version}`,
  };
}

function sha512Of(integrity: string): string {
  const [algorithm, digest = ''] = integrity.split('-');
  if (algorithm !== 'sha512') throw new Error(`no SHA-512: ${integrity}`);
  return Buffer.from(digest, 'base64').toString('hex');
}

/** A UUID of version 8, whose bits are for its maker to choose. */
function uuidOf(digest: string): string {
  const variant = '89ab'[Number.parseInt(digest[16] ?? '0', 16) % 4] ?? '8';
  const hex = `${digest.slice(0, 12)}8${digest.slice(13, 16)}${variant}${digest.slice(17, 32)}`;
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
