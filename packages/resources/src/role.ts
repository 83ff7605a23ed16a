/**
 * Role names: `*`, or components joined by `/`. Rules of the original, with its meaning of errors.
 */

/** The problem of a role name, or undefined when it is valid. */
export function isValidRole(role: string): string | undefined {
  if (role === '*') return undefined;
  if (role === '') return 'Role name must not be empty';
  if (role.startsWith('/')) return `Role '${role}' cannot start with a slash`;
  if (role.endsWith('/')) return `Role '${role}' cannot end with a slash`;
  for (const component of role.split('/')) {
    if (component === '') return `Role '${role}' cannot contain two adjacent slashes`;
    if (component === '.' || component === '..' || component === '*') {
      return `Role '${role}' cannot include '${component}' as a component`;
    }
    if (component.startsWith('-')) return `Role '${role}' is invalid because it starts with a dash`;
    if (/\s/.test(component) || component.includes('\b'))
      return `Role '${role}' cannot contain whitespace or backspace`;
  }
  return undefined;
}

/** True when `ancestor` is above `role`: `a` is an ancestor of `a/b`, not of `a` nor of `ab`. */
export function isAncestorRole(ancestor: string, role: string): boolean {
  return role.startsWith(`${ancestor}/`);
}
