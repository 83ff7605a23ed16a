/**
 * The manifest of a release: what is in the archive, by path, with size, mode and SHA-256. It comes first in the
 * archive, its signature second; everything after that has to be what it says.
 *
 * The content hash names the release on hosts (`/opt/dcos/releases/<hash>/`). It covers version, platform and every
 * file with its mode, and neither the signature nor the time of the build: equal releases have equal names.
 */

import { createHash } from 'node:crypto';
import { err, ok, type Result } from '@dcos/base';
import { z } from 'zod';

/** Raised when an older reader would misunderstand the manifest. */
export const MANIFEST_FORMAT = 1;
export const MANIFEST_PATH = 'manifest.json';
/** 64 bytes, Ed25519 over the bytes of the manifest. */
export const SIGNATURE_PATH = 'manifest.json.sig';
export const PLATFORMS = ['linux-x64', 'linux-arm64'] as const;
export type Platform = (typeof PLATFORMS)[number];

export const MANIFEST_BYTES_MAX = 8 * 2 ** 20;
export const FILES_MAX = 20_000;
export const FILE_BYTES_MAX = 2 ** 30;
const PATH_CHARACTERS_MAX = 255;
/** No name that a shell, a unit or another file system could read in another way; no way out of the folder. */
const PATH = /^(?!\.{1,2}(?:\/|$))[\w@.+~-]+(?:\/(?!\.{1,2}(?:\/|$))[\w@.+~-]+)*$/;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'is no SHA-256');
const fileSchema = z.strictObject({
  path: z
    .string()
    .max(PATH_CHARACTERS_MAX)
    .regex(PATH, 'is no path below the release')
    .refine((path) => path !== MANIFEST_PATH && path !== SIGNATURE_PATH, 'is the manifest itself'),
  sha256,
  sizeBytes: z.int().min(0).max(FILE_BYTES_MAX),
  mode: z.enum(['0644', '0755']),
});
const manifestSchema = z.strictObject({
  format: z.literal(MANIFEST_FORMAT),
  name: z.literal('dcos'),
  version: z.string().regex(/^[0-9A-Za-z.+-]{1,64}$/, 'is no version'),
  platform: z.enum(PLATFORMS),
  contentHash: sha256,
  files: z.array(fileSchema).min(1).max(FILES_MAX),
});

/** One file of a release. */
export type ManifestFile = Readonly<z.infer<typeof fileSchema>>;
/** @see the comment of this file */
export type Manifest = Readonly<Omit<z.infer<typeof manifestSchema>, 'files'>> & {
  /** Sorted by path, by code units. */
  readonly files: readonly ManifestFile[];
};

/** Makes the manifest of files in any order. */
export function createManifest(
  version: string,
  platform: Platform,
  files: readonly ManifestFile[],
): Manifest {
  const sorted = files.toSorted((one, other) => comparePaths(one.path, other.path));
  const contentHash = hashOf(version, platform, sorted);
  return {
    format: MANIFEST_FORMAT,
    name: 'dcos',
    version,
    platform,
    contentHash,
    files: sorted,
  };
}

/** The bytes that are signed. */
export function manifestText(manifest: Manifest): string {
  return `${JSON.stringify(manifest, undefined, 1)}\n`;
}

/** Reads a manifest. The error says what is wrong with it, for people. */
export function parseManifest(text: string): Result<Manifest, string> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return err('is no JSON');
  }
  const parsed = manifestSchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return err(`${issue?.path.join('.') || 'it'}: ${issue?.message ?? 'is wrong'}`);
  }
  const { version, platform, files, contentHash } = parsed.data;
  const unsorted = files.find(
    ({ path }, index) => index > 0 && comparePaths(files[index - 1]?.path ?? '', path) >= 0,
  );
  if (unsorted !== undefined) return err(`${unsorted.path} is named twice or out of order`);
  const paths = new Set(files.map(({ path }) => path));
  const inside = files.find(({ path }) => foldersOf(path).some((folder) => paths.has(folder)));
  if (inside !== undefined) return err(`${inside.path} is below a file`);
  if (hashOf(version, platform, files) !== contentHash)
    return err('contentHash is not that of the files');
  return ok(parsed.data);
}

/** All folders that a path is in, outermost first: `a/b/c` is in `a` and `a/b`. */
export function foldersOf(path: string): readonly string[] {
  const words = path.split('/').slice(0, -1);
  return words.map((_, index) => words.slice(0, index + 1).join('/'));
}

/** Order of paths in manifests and archives. */
export function comparePaths(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** Lines as `sha256sum` and `stat` give them, so that it can be done without us. */
function hashOf(version: string, platform: string, files: readonly ManifestFile[]): string {
  const hash = createHash('sha256').update(`dcos ${version} ${platform}\n`);
  for (const { path, sha256: digest, sizeBytes, mode } of files)
    hash.update(`${digest} ${mode} ${sizeBytes} ${path}\n`);
  return hash.digest('hex');
}
