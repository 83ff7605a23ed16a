/**
 * Volumes of a container in the engine's words. Places of the host are bound; volumes of the engine are bound by their
 * name, or mounted where they have a driver of their own. Pure.
 */

import { isAbsolute } from 'node:path';
import type { Volume, Volume_Source_DockerVolume } from '@dcos/wire';
import { containerError } from '../errors.ts';
import { below, SANDBOX_TARGET, sandboxPlaceOf } from '../oci/mounts.ts';
import type { ContainerSpec } from '../runtime.ts';
import type { EngineSpec } from './engine-spec.ts';

/** Adds a volume. Throws CONTAINER_INVALID for kinds of volumes that cannot be had. */
export function applyVolume({ HostConfig }: EngineSpec, volume: Volume, spec: ContainerSpec): void {
  const readOnly = volume.mode === 'RO';
  const mode = readOnly ? 'ro' : 'rw';
  const target = isAbsolute(volume.container_path)
    ? volume.container_path
    : below(SANDBOX_TARGET, volume.container_path);
  const named = volume.source?.docker_volume;
  if (named?.driver !== undefined || named?.driver_options !== undefined) {
    HostConfig.Mounts.push({
      Type: 'volume',
      Source: named.name,
      Target: target,
      ReadOnly: readOnly,
      VolumeOptions: {
        NoCopy: false,
        Labels: {},
        DriverConfig: driverOf(named, spec.container?.docker?.volume_driver),
      },
    });
    return;
  }
  if (named !== undefined) {
    HostConfig.Binds.push(bind(named.name, target, mode));
    return;
  }
  const propagation = PROPAGATIONS[volume.source?.host_path?.mount_propagation?.mode ?? 'UNKNOWN'];
  HostConfig.Binds.push(bind(placeOnHost(volume, spec), target, `${mode}${propagation}`));
}

const PROPAGATIONS = {
  UNKNOWN: '',
  HOST_TO_CONTAINER: ',rslave',
  BIDIRECTIONAL: ',rshared',
} as const;

/** A driver of its own and its options; each volume may have another one. */
function driverOf(
  { driver, driver_options }: Volume_Source_DockerVolume,
  usual = 'local',
): { Name: string; Options: Record<string, string> } {
  const options = (driver_options?.parameter ?? []).map(({ key, value }) => [key, value] as const);
  return { Name: driver ?? usual, Options: Object.fromEntries(options) };
}

function placeOnHost(volume: Volume, spec: ContainerSpec): string {
  const { source } = volume;
  const place = sandboxPlaceOf(volume, spec);
  if (place !== undefined) return below(place.root, place.path);
  const host = source?.host_path?.path ?? volume.host_path;
  if (host === undefined || volume.image !== undefined) {
    throw containerError(
      'CONTAINER_INVALID',
      `volume ${volume.container_path}: only host paths, sandbox paths and docker volumes are supported`,
    );
  }
  return isAbsolute(host) ? host : below(spec.sandboxPath, host);
}

/** A bind as the engine writes it. */
export function bind(source: string, target: string, options: string): string {
  if (source.includes(':') || target.includes(':')) {
    throw containerError(
      'CONTAINER_INVALID',
      `a path of a volume must not hold a colon: ${source}, ${target}`,
    );
  }
  return `${source}:${target}:${options}`;
}
