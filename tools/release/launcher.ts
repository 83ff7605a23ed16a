/**
 * Commands for people, in `bin/` of a release. Units start `node` themselves; a person's shell finds a command through
 * links and any working directory, in folders of any name, and Node cannot be named relative to a script's own place.
 */

export function launcher(component: string): string {
  return `#!/bin/sh
# Starts ${component} with the Node of its release, wherever that lies and from wherever it is linked.
place=$(readlink -f -- "$0") || exit
exec "\${place%/*}/node" "\${place%/*/*}/lib/${component}.js" "$@"
`;
}
