/**
 * What a release consists of:
 *
 *     bin/node                 the pinned Node
 *     bin/dcos, bin/dcos-box…  commands for people
 *     lib/<component>.js       what units start with that Node
 *     lib/node_modules/        packages with native code
 *     lib/zookeeper/           ZooKeeper, for the Java runtime of the host
 *     ui/                      the web console
 *     units/                   templates of the units that the installer makes
 *     LICENSE                  of this project
 *     licences/                of what others made
 *     sbom.cdx.json            the list of that, for scanners
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  jarPath,
  type Jar,
  type Platform,
  type ReleaseContent,
  type ReleaseFile,
} from '@dcos/installer/release';
import { bundleComponent, type Bundle } from './bundle.ts';
import { COMPONENTS, NATIVE_PACKAGES } from './components.ts';
import { copiedFile, copiedFolder, textFile } from './files.ts';
import { jarContent, zooKeeperJars } from './jars.ts';
import { launcher } from './launcher.ts';
import { licenceFiles } from './licences.ts';
import type { NpmPackage, Packages } from './packages.ts';
import { sbomText } from './sbom.ts';
import { buildUi, type UiBuild } from './ui.ts';

/** What is the same on all platforms. */
export interface CommonContent {
  readonly version: string;
  readonly bundles: readonly Bundle[];
  readonly ui: UiBuild;
  readonly units: readonly ReleaseFile[];
  readonly licence: ReleaseFile;
  readonly jars: readonly Jar[];
  readonly zooKeeper: readonly ReleaseFile[];
}

/** Bundles the components and builds the console. */
export async function buildCommon(root: string): Promise<CommonContent> {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly version: string;
  };
  const bundles: Bundle[] = [];
  for (const component of COMPONENTS) bundles.push(await bundleComponent(root, component));
  const units = copiedFolder('units', join(root, 'infra', 'units'), () => true);
  const licence = copiedFile('LICENSE', join(root, 'LICENSE'), '0644');
  const ui = await buildUi(root);
  const jars = zooKeeperJars(root);
  const zooKeeper = await jarFiles(root, jars);
  return { version, bundles, ui, units, licence, jars, zooKeeper };
}

export function platformContent(
  common: CommonContent,
  platform: Platform,
  packages: Packages,
): ReleaseContent {
  const node = packages.named(`node-${platform}`);
  const natives = NATIVE_PACKAGES.flatMap((name) => [name, `${name}-${platform}`]).map((name) =>
    packages.named(name),
  );
  const { version } = common;
  const modules = [...common.bundles.flatMap((bundle) => bundle.modules), ...common.ui.modules];
  const foreign = [...packages.ofModules(modules), ...natives];
  return {
    version,
    platform,
    files: [
      copiedFile('bin/node', join(node.folder, 'bin', 'node'), '0755'),
      ...launchers(),
      ...libraries(common.bundles),
      ...natives.flatMap(nativeFiles),
      ...common.ui.files,
      ...common.units,
      common.licence,
      ...common.zooKeeper,
      ...licenceFiles([node, ...foreign]),
      textFile(
        'sbom.cdx.json',
        sbomText({ version, platform, node, packages: foreign, jars: common.jars }),
      ),
    ],
  };
}

async function jarFiles(root: string, jars: readonly Jar[]): Promise<readonly ReleaseFile[]> {
  return await Promise.all(
    jars.map(async (jar) => ({
      path: jarPath(jar),
      mode: '0644' as const,
      content: await jarContent(root, jar),
    })),
  );
}

function launchers(): readonly ReleaseFile[] {
  return COMPONENTS.flatMap(({ name, command }) =>
    command === undefined
      ? []
      : [{ path: `bin/${command}`, mode: '0755', content: Buffer.from(launcher(name)) } as const],
  );
}

function libraries(bundles: readonly Bundle[]): readonly ReleaseFile[] {
  return [
    textFile('lib/package.json', '{ "type": "module" }\n'),
    ...bundles.flatMap(({ files }) =>
      [...files].map(([path, text]) => textFile(`lib/${path}`, text)),
    ),
  ];
}

/** Without types, and what is for other systems. */
function nativeFiles({ name, folder }: NpmPackage): readonly ReleaseFile[] {
  return copiedFolder(`lib/node_modules/${name}`, folder, (path) => !path.endsWith('.d.ts'));
}
