export { releaseError, type ReleaseErrorCode } from './errors.ts';
export {
  createManifest,
  MANIFEST_PATH,
  manifestText,
  parseManifest,
  PLATFORMS,
  SIGNATURE_PATH,
  type Manifest,
  type ManifestFile,
  type Platform,
} from './manifest.ts';
export { extractRelease, verifyRelease, type ReadOptions } from './read-release.ts';
export { bringsAll, jarFile, jarPath, parseJars, type Jar } from './zookeeper-jars.ts';
export { writeRelease, type ReleaseContent, type ReleaseFile } from './write-release.ts';
