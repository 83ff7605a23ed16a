/** The original's flags of a master, in the words of our settings. What they are is in `flags.ts`. */

import {
  translateFlags as translate,
  type GivenSettings,
  type OriginalFlags,
  type TranslatedSettings,
} from '@dcos/telemetry';
import { ALIASES, FLAGS } from './flags.ts';

const PREFIX = 'MESOS_';

const TABLE: OriginalFlags = {
  flags: FLAGS,
  aliases: ALIASES,
  paths: new Set([
    'acls',
    'credentials',
    'domain',
    'firewall_rules',
    'log_dir',
    'rate_limits',
    'webui_dir',
    'whitelist',
    'work_dir',
  ]),
  settingsPrefix: PREFIX,
};

/** Translates them all. Throws an error whose text names the flag that is refused. */
export function translateFlags(given: GivenSettings): TranslatedSettings {
  const result = translate(TABLE, given);
  if (isGiven(result, 'ip') && isGiven(result, 'ip-discovery-command'))
    throw new Error('Only one of `--ip` or `--ip_discovery_command` should be specified');
  return result;
}

function isGiven({ flags, environment }: GivenSettings, key: string): boolean {
  const variable = PREFIX + key.replaceAll('-', '_').toUpperCase();
  return environment[variable] !== undefined || flags.some((flag) => flag.startsWith(`--${key}=`));
}
