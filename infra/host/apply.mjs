// Puts the configuration of a host in its place. Standard input: JSON with files to write ({path, text, mode}), paths to
// remove, and the release that `active` shall point at. Each file appears as a whole; run again it does the same. What
// the release before was configured with is kept beside it, and `former` points at that release: see back.mjs.
import {
  chmodSync,
  closeSync,
  cpSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { basename, dirname } from 'node:path';

const ACTIVE = '/opt/dcos/active';
const FORMER = '/opt/dcos/former';
/** Configurations by release. */
const KEPT = '/opt/dcos/kept';
const UNITS = '/etc/systemd/system';

const { files, removed, activate } = JSON.parse(readFileSync(0, 'utf8'));

const before = existsSync(ACTIVE) ? basename(readlinkSync(ACTIVE)) : undefined;
const isOverAnother = activate !== undefined && before !== undefined && before !== activate;
// One that is there was kept by a run that was cut short, before it changed anything.
if (isOverAnother && !existsSync(`${KEPT}/${before}`)) keep(`${KEPT}/${before}`);
// From here on the host can go back, also where it is cut short before `active` points elsewhere.
if (isOverAnother) point(FORMER, before);

function keep(folder) {
  const fresh = `${folder}.new`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(`${fresh}/units`, { recursive: true, mode: 0o700 });
  // Certificates and what operators set are no matter of releases.
  const isOwn = (path) => !/^\/etc\/dcos\/(override|tls)(\/|$)/.test(path);
  cpSync('/etc/dcos', `${fresh}/dcos`, { recursive: true, filter: isOwn });
  for (const name of readdirSync(UNITS).filter((unit) => /^dcos.*\.(service|target)$/.test(unit)))
    cpSync(`${UNITS}/${name}`, `${fresh}/units/${name}`);
  renameSync(fresh, folder);
}

function point(link, release) {
  rmSync(`${link}.new`, { force: true });
  symlinkSync(`releases/${release}`, `${link}.new`);
  renameSync(`${link}.new`, link);
}

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
  // It was kept when the host last left this release.
  rmSync(`${KEPT}/${activate}`, { recursive: true, force: true });
  point(ACTIVE, activate);
}
