/**
 * Endpoints that are switched off for everybody: the original's `firewall_rules`,
 * `{"disabled_endpoints":{"paths":["/master/teardown"]}}`.
 */

import { z } from 'zod';
import { OperationError } from '@dcos/base';
import { routeOf } from './access-rules.ts';

const PATHS_MAX = 1000;

const schema = z.strictObject({
  disabled_endpoints: z
    .strictObject({ paths: z.array(z.string().startsWith('/')).max(PATHS_MAX) })
    .optional(),
});

/** The routes that are off, without `/master`. Throws `FIREWALL_RULES_INVALID`. */
export function parseFirewallRules(text: string): ReadonlySet<string> {
  try {
    const paths = schema.parse(JSON.parse(text)).disabled_endpoints?.paths ?? [];
    return new Set(paths.map((path) => routeOf(path)));
  } catch (error) {
    const problem = error instanceof z.ZodError ? z.prettifyError(error) : 'it is not JSON';
    throw new OperationError('FIREWALL_RULES_INVALID', `firewallRules: ${problem}`, {
      cause: error,
    });
  }
}
