/** From a Mesos task to the service it belongs to. Pure. */

/**
 * The app id behind a task: Marathon's task names are the path reversed and joined by dots
 * (`web.shop` is `/shop/web`); names without a dot are apps at the root.
 */
export function appIdOfTask(task: { readonly name: string }): string {
  return `/${task.name.split('.').toReversed().join('/')}`;
}

/** A stable hue for a service, 0 to 359; red tones are left to failures. */
export function hueOf(text: string): number {
  let hash = 2_166_136_261;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 16_777_619);
  }
  return 40 + ((hash >>> 0) % 280);
}
