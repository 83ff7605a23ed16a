/**
 * Ids of apps, pods and groups as a person types them.
 */

/** An id with exactly one leading and no trailing slash; `/` for the root. */
export function normaliseId(text: string): string {
  return `/${text
    .split('/')
    .filter((segment) => segment !== '')
    .join('/')}`;
}

/** The path of an id inside a URL, each segment encoded. */
export function idPath(id: string): string {
  return id.split('/').map(encodeURIComponent).join('/');
}
