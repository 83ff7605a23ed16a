// Puts the configuration of a host in its place. Standard input: JSON with files to write ({path, text, mode}), paths to
// remove, and the release that `active` shall point at. Each file appears as a whole; run again it does the same.
import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

const { files, removed, activate } = JSON.parse(readFileSync(0, 'utf8'));

for (const { path, text, mode } of files) {
  mkdirSync(dirname(path), { recursive: true });
  const fresh = `${path}.new`;
  const descriptor = openSync(fresh, 'w', mode);
  writeSync(descriptor, text);
  fsyncSync(descriptor);
  closeSync(descriptor);
  // The mode of `open` is cut by the umask, and is nothing to a file that is there.
  chmodSync(fresh, mode);
  renameSync(fresh, path);
}
for (const path of removed) rmSync(path, { force: true });
if (activate !== undefined) {
  rmSync('/opt/dcos/active.new', { force: true });
  symlinkSync(`releases/${activate}`, '/opt/dcos/active.new');
  renameSync('/opt/dcos/active.new', '/opt/dcos/active');
}
