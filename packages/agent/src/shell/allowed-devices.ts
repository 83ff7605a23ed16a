/** Devices that tasks of the runtime `oci` may use beside the usual ones, as the operator's setting says. */

import { errorText, OperationError } from '@dcos/base';
import { readSetting } from '@dcos/telemetry';
import type { DeviceAccess } from '@dcos/wire';
import { allowedDevicesSchema, type AgentConfig } from '../config.ts';

/** Reads the setting, or the file that it names. Throws CONFIG_INVALID. */
export function allowedDevicesOf(setting: AgentConfig['allowedDevices']): readonly DeviceAccess[] {
  if (setting === undefined) return [];
  try {
    const json: unknown =
      typeof setting === 'string' ? JSON.parse(readSetting('CONFIG_INVALID', setting)) : setting;
    return allowedDevicesSchema.parse(json).allowed_devices;
  } catch (error) {
    throw new OperationError('CONFIG_INVALID', `allowedDevices: ${errorText(error)}`);
  }
}
