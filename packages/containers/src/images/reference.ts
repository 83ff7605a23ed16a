/**
 * Names of images: `[registry[:port]/]path[:tag][@algorithm:digest]`, as Docker reads them. A first part that holds a
 * dot or a colon, or is `localhost`, names a registry; otherwise the image is on the default registry, and a name
 * without a slash belongs to `library/` there. Pure.
 */

import { containerError } from '../errors.ts';

/** The registry of names that name none. */
export const DEFAULT_REGISTRY = 'docker.io';
const NAME_CHARACTERS_MAX = 255;

export interface ImageReference {
  /** Host with its port, such as `docker.io` or `127.0.0.1:5000`. */
  readonly registry: string;
  /** Path on the registry, such as `library/busybox`. */
  readonly repository: string;
  /** `latest` when neither tag nor digest was given. */
  readonly tag?: string;
  /** Such as `sha256:…`; it wins over a tag. */
  readonly digest?: string;
}

const PART = /^[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*$/;
const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
export const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Reads a name. Throws CONTAINER_INVALID with the reason. */
export function parseReference(text: string): ImageReference {
  const invalid = (why: string): never => {
    throw containerError('CONTAINER_INVALID', `Failed to parse docker image '${text}': ${why}`);
  };
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  if (digest !== undefined && !DIGEST.test(digest)) invalid('the digest is not a sha256');
  const named = at < 0 ? text : text.slice(0, at);
  const colon = named.lastIndexOf(':');
  const hasTag = colon > named.lastIndexOf('/');
  const tag = hasTag ? named.slice(colon + 1) : undefined;
  if (tag !== undefined && !TAG.test(tag)) invalid('the tag is not valid');
  const parts = (hasTag ? named.slice(0, colon) : named).split('/');
  const [first = ''] = parts;
  const isRegistryNamed = parts.length > 1 && (/[.:]/.test(first) || first === 'localhost');
  const registry = isRegistryNamed ? first : DEFAULT_REGISTRY;
  if (!HOST.test(registry)) invalid('the registry is not valid');
  const path = isRegistryNamed ? parts.slice(1) : parts;
  if (registry === DEFAULT_REGISTRY && path.length === 1) path.unshift('library');
  const repository = path.join('/');
  if (repository.length > NAME_CHARACTERS_MAX) invalid('the name is too long');
  if (!path.every((part) => PART.test(part))) invalid('the name is not valid');
  return {
    registry,
    repository,
    ...(digest === undefined
      ? { tag: tag ?? 'latest' }
      : { digest, ...(tag !== undefined && { tag }) }),
  };
}

/** The same name written out, one text for all ways to write it. */
export function referenceText({ registry, repository, tag, digest }: ImageReference): string {
  return `${registry}/${repository}${digest === undefined ? `:${tag}` : `@${digest}`}`;
}
