/** From a task to the service it belongs to, and to its place among the versions of it. Pure. */
import type { App, MarathonTask } from '../api/types.ts';

/** What Marathon's task ids end in: `.instance-<uuid>` and an attempt, before 1.5 `.<uuid>`. */
const INSTANCE = /\.(?:instance-|marathon-)?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}(?:\..*)?$/;

/**
 * The app id behind a task. Marathon's task ids begin with the path joined by underscores, which no
 * app id contains: `shop_web.v2.instance-…` is `/shop/web.v2`. Its task names are the path reversed
 * and joined by dots (`web.shop`); they serve where the id is of another form.
 */
export function appIdOfTask(task: { readonly id: string; readonly name: string }): string {
  const path = task.id.replace(INSTANCE, '');
  if (path !== task.id && path !== '') return `/${path.replaceAll('_', '/')}`;
  return `/${task.name.split('.').toReversed().join('/')}`;
}

/**
 * True for an instance that runs an older configuration. Scaling makes a new version, too, but its
 * instances need no replacing.
 */
export function isOutdated(
  task: Pick<MarathonTask, 'version'>,
  app: Pick<App, 'version' | 'versionInfo'>,
): boolean {
  if (task.version === undefined || task.version === app.version) return false;
  const configuredAt = Date.parse(app.versionInfo?.lastConfigChangeAt ?? app.version ?? '');
  return Number.isNaN(configuredAt) || Date.parse(task.version) < configuredAt;
}

/** Number of colours that the map has for services; red is left to failures. */
const COLORS = 9;

/** A stable colour number for a service, 1 to 9. */
export function colorOf(text: string): number {
  let hash = 2_166_136_261;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 16_777_619);
  }
  return 1 + ((hash >>> 0) % COLORS);
}
