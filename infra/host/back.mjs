// Takes a host back to the release before, with the files that it had then; see apply.mjs. Argument: that release. Prints
// one line of JSON: the units that run with something else than their file says now. What was kept stays until they serve:
// run again until then, it does the same, and says what is left to do.
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { execFileSync } from 'node:child_process';
import { dirname, join, relative } from 'node:path';

const ACTIVE = '/opt/dcos/active';
const UNITS = '/etc/systemd/system';
const OWN_UNIT = /^dcos.*\.(service|target)$/;

const [release] = process.argv.slice(1);
const kept = `/opt/dcos/kept/${release}`;
if (existsSync(kept)) {
  for (const path of filesBelow(`${kept}/dcos`))
    put(path, join('/etc/dcos', relative(`${kept}/dcos`, path)));
  for (const path of filesBelow('/etc/dcos'))
    if (!/^\/etc\/dcos\/(override|tls)\//.test(path)) removeUnlessKept(path);
  for (const path of filesBelow(`${kept}/units`))
    put(path, `${UNITS}/${relative(`${kept}/units`, path)}`);
  for (const name of readdirSync(UNITS).filter((unit) => OWN_UNIT.test(unit))) {
    if (existsSync(`${kept}/units/${name}`)) continue;
    execFileSync('systemctl', ['disable', '--now', '--quiet', name]);
    rmSync(`${UNITS}/${name}`, { force: true });
  }
  rmSync(`${ACTIVE}.new`, { force: true });
  symlinkSync(`releases/${release}`, `${ACTIVE}.new`);
  renameSync(`${ACTIVE}.new`, ACTIVE);
}
execFileSync('systemctl', ['daemon-reload']);
process.stdout.write(`${JSON.stringify({ restarts: outdated() })}\n`);

function filesBelow(folder) {
  return readdirSync(folder, { recursive: true })
    .map((name) => join(folder, name))
    .filter((path) => lstatSync(path).isFile());
}

/** As a whole, with its permissions. */
function put(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, `${to}.new`);
  renameSync(`${to}.new`, to);
}

function removeUnlessKept(path) {
  if (!existsSync(join(`${kept}/dcos`, relative('/etc/dcos', path)))) rmSync(path, { force: true });
}

function outdated() {
  const units = readdirSync(UNITS).filter((unit) => /^dcos.*\.service$/.test(unit));
  return units.filter(
    (unit) => markOf(readFileSync(`${UNITS}/${unit}`, 'utf8')) !== runningMark(unit),
  );
}

function markOf(text) {
  return /DCOS_UNIT_FINGERPRINT=(\w*)/.exec(text)?.[1];
}

function runningMark(unit) {
  const pid = execFileSync('systemctl', ['show', unit, '-p', 'MainPID', '--value'], {
    encoding: 'utf8',
  }).trim();
  try {
    return markOf(readFileSync(`/proc/${pid}/environ`, 'utf8'));
  } catch {
    // It does not run.
    return undefined;
  }
}
