/**
 * Where an image is asked for: the mirrors of its registry in their order, then the registry itself. Pure.
 *
 * Invariants: credentials belong to one host and go to no other, so that those of a registry never reach its mirrors;
 * plain HTTP only to registries that are listed or on loopback, and where an operator wrote it out.
 */

import type { RegistryLogin, RegistryLogins } from './docker-config.ts';
import { DEFAULT_REGISTRY, type ImageReference } from './reference.ts';

const DOCKER_HUB = 'registry-1.docker.io';
const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?$/;

export interface EndpointOptions {
  /** Where images without a registry come from; `https://registry-1.docker.io` when absent. */
  readonly defaultRegistry?: string;
  /** Hosts with ports that are spoken to without TLS. */
  readonly insecureRegistries?: readonly string[];
  /** Addresses by registry, as names of images have it; `docker.io` stands for names without one. */
  readonly registryMirrors?: Readonly<Record<string, readonly string[]>>;
}

export interface Endpoint {
  readonly base: URL;
  /** The host as credentials name it. */
  readonly host: string;
}

export interface Endpoints {
  readonly mirrors: readonly Endpoint[];
  readonly registry: Endpoint;
}

/** All that may have the image. */
export function endpointsOf({ registry }: ImageReference, options: EndpointOptions): Endpoints {
  const { registryMirrors = {}, insecureRegistries = [] } = options;
  const { defaultRegistry = `https://${DOCKER_HUB}` } = options;
  const mirrors = (registryMirrors[registry] ?? []).map((address) => endpointAt(address));
  if (registry === DEFAULT_REGISTRY) return { mirrors, registry: endpointAt(defaultRegistry) };
  const isPlain = insecureRegistries.includes(registry) || LOOPBACK.test(registry);
  const base = new URL(`${isPlain ? 'http' : 'https'}://${registry}/`);
  return { mirrors, registry: { base, host: registry } };
}

function endpointAt(address: string): Endpoint {
  const base = new URL(address.endsWith('/') ? address : `${address}/`);
  return { base, host: base.host === DOCKER_HUB ? DEFAULT_REGISTRY : base.host };
}

/** What the endpoint may be told. */
export function loginAt({ host }: Endpoint, logins: RegistryLogins): RegistryLogin | undefined {
  return logins.get(host);
}
