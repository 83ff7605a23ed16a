/**
 * Role names: `*`, or words parted by `/`, of which each is below the one before it.
 * Source: the original's rules for roles and their recorded texts.
 */

/** The role of what belongs to nobody. */
export const UNRESERVED_ROLE = '*';

/** Says what is wrong with a role, or undefined when nothing is. `*` is a valid role. */
export function isValidRole(role: string): string | undefined {
  if (role === '') return 'Role names cannot be the empty string';
  if (role === UNRESERVED_ROLE) return undefined;
  if (role.startsWith('/')) return `Role '${role}' cannot start with a slash`;
  if (role.endsWith('/')) return `Role '${role}' cannot end with a slash`;
  for (const part of role.split('/')) {
    if (part === '') return `Role '${role}' cannot contain two adjacent slashes`;
    if (part === '.' || part === '..')
      return `Role '${role}' cannot include '${part}' as a component`;
    if (part === '*') return `Role '${role}' cannot include '*' as a component`;
    if (part.startsWith('-')) {
      return part === role
        ? `Role name '${role}' is invalid because it begins with a dash`
        : `Role component '${part}' is invalid because it begins with a dash`;
    }
  }
  for (const character of role) {
    const code = character.codePointAt(0) ?? 0;
    if ((code >= 0x08 && code <= 0x0d) || code === 0x20 || code === 0x7f) {
      return `Role '${role}' contains a backspace or white space character`;
    }
  }
  return undefined;
}

/** Whether `ancestor` is strictly above `role`. `*` is above nothing. */
export function isAncestorRole(ancestor: string, role: string): boolean {
  return (
    role.length > ancestor.length &&
    role.startsWith(ancestor) &&
    role.charAt(ancestor.length) === '/'
  );
}

/** The roles above a role, from the top; `a/b/c` gives `a` and `a/b`. */
export function ancestorsOfRole(role: string): readonly string[] {
  const ancestors: string[] = [];
  for (let at = role.indexOf('/'); at !== -1; at = role.indexOf('/', at + 1))
    ancestors.push(role.slice(0, at));
  return ancestors;
}

/** The part of a role before its first slash; quota is set on these only. */
export function topLevelRole(role: string): string {
  const slash = role.indexOf('/');
  return slash === -1 ? role : role.slice(0, slash);
}
