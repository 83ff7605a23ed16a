/** From a Mesos task to the service it belongs to. Pure. */

/**
 * The app id behind a task: Marathon's task names are the path reversed and joined by dots
 * (`web.shop` is `/shop/web`); names without a dot are apps at the root.
 */
export function appIdOfTask(task: { readonly name: string }): string {
  return `/${task.name.split('.').toReversed().join('/')}`;
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
