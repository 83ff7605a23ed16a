/**
 * The command as a process against a stub of a cluster: output, errors and exit codes to the byte.
 */

import { X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { strangersCertificate, testCertificate } from '@dcos/testkit';
import { createCliScene } from './testing/cli-scene.ts';
import type { CliScene } from './testing/cli-scene.ts';
import type { DcosResult } from './testing/run-dcos.ts';
import { stateDocument } from './testing/documents.ts';
import type { StubRoutes } from './testing/stub-cluster.ts';

let scene: CliScene;

beforeEach(async () => {
  scene = await createCliScene();
});

afterEach(() => scene.end());

const version = {
  version: '2.2.0',
  'dcos-variant': 'open',
  'dcos-image-commit': 'abc',
  'bootstrap-id': 'b1',
};

const openCluster: StubRoutes = {
  'HEAD /': {},
  'HEAD /pkgpanda/active.buildinfo.full.json': {},
  'GET /metadata': { json: { CLUSTER_ID: 'c1d2', PUBLIC_IPV4: '127.0.0.1' } },
  'GET /mesos/state-summary': {
    json: { cluster: 'box', hostname: '127.0.0.1', slaves: [], frameworks: [] },
  },
  'GET /dcos-metadata/dcos-version.json': { json: version },
};

describe('cluster', () => {
  test('setup of an open cluster asks in order, keeps the cluster and attaches it', async () => {
    const cluster = await scene.start(openCluster);
    expect(await scene.dcos(`cluster setup ${cluster.url}/`)).toEqual({
      code: 0,
      stdout: '',
      stderr: `The cluster "box" (${cluster.url}) is set up and attached.\n`,
    });
    expect(cluster.lines()).toEqual([
      'HEAD /',
      'HEAD /pkgpanda/active.buildinfo.full.json',
      'GET /metadata',
      'GET /mesos/state-summary',
      'GET /dcos-metadata/dcos-version.json',
    ]);
    expect(await scene.dcos('cluster list')).toEqual({
      code: 0,
      stderr: '',
      stdout:
        `     NAME   ID    STATUS    VERSION${' '.repeat(Math.floor((cluster.url.length - 3) / 2))}  URL\n` +
        `  *  box   c1d2  AVAILABLE  2.2.0    ${cluster.url}\n`,
    });
    expect(JSON.parse((await scene.dcos('cluster list --json')).stdout)).toEqual([
      {
        attached: true,
        cluster_id: 'c1d2',
        name: 'box',
        status: 'AVAILABLE',
        url: cluster.url,
        version: '2.2.0',
      },
    ]);
    expect((await scene.dcos('config show')).stdout).toBe(
      `cluster.name box\ncore.dcos_acs_token \ncore.dcos_url ${cluster.url}\ncore.timeout 180\n`,
    );
    expect((await scene.dcos('--version')).stdout).toBe(
      'dcoscli.version=0.1.0\ndcos.version=2.2.0\ndcos.variant=open\ndcos.commit=abc\ndcos.bootstrap-id=b1\n',
    );
  });

  test('setup with user and password stores the token and sends it from then on', async () => {
    const cluster = await scene.start({
      ...openCluster,
      'HEAD /pkgpanda/active.buildinfo.full.json': {
        status: 401,
        headers: { 'www-authenticate': 'acsjwt' },
      },
      'POST /acs/api/v1/auth/login': ({ body }) =>
        body === '{"uid":"alice","password":"secret"}'
          ? { json: { token: 't0k3n' } }
          : { status: 401, json: { title: 'Bad credentials', description: 'no', code: 'ERR' } },
    });
    const wrong = await scene.dcos(`cluster setup ${cluster.url} --username alice --password nope`);
    expect(wrong).toEqual({
      code: 1,
      stdout: '',
      stderr: 'Error: the user name or the password is wrong\n',
    });
    const right = await scene.dcos(`cluster setup ${cluster.url} --username alice`, {
      input: 'secret\n',
    });
    expect(right.code).toBe(0);
    expect((await scene.dcos('config show core.dcos_acs_token')).stdout).toBe('t0k3n\n');
    expect((await scene.dcos('config show')).stdout).toContain('core.dcos_acs_token ********\n');
    expect(cluster.requests.at(-1)?.headers.authorization).toBe('token=t0k3n');
    const second = await scene.dcos(`cluster setup ${cluster.url}`, {
      input: 'alice\nwrong\nalice\nsecret\n',
    });
    expect(second.code, second.stderr).toBe(0);
  });

  test('setup of something else changes nothing and says what was missing', async () => {
    const cluster = await scene.start({ 'HEAD /': {} });
    expect(await scene.dcos(`cluster setup ${cluster.url}`)).toEqual({
      code: 1,
      stdout: '',
      stderr: `Error: ${cluster.url} is no DC/OS cluster: HEAD /pkgpanda/active.buildinfo.full.json answered HTTP 404\n`,
    });
    expect((await scene.dcos('cluster list --json')).stdout).toBe('[]\n');
  });

  test('a server that is down is named, with exit code 1', async () => {
    const cluster = await scene.attach({});
    await cluster.close();
    expect(await scene.dcos('marathon app list')).toEqual({
      code: 1,
      stdout: '',
      stderr: `Error: could not connect to ${cluster.url}: connection refused. Is the cluster running?\n`,
    });
    const list = await scene.dcos('cluster list --json');
    expect(JSON.parse(list.stdout)).toMatchObject([{ status: 'UNAVAILABLE', version: 'UNKNOWN' }]);
    expect((await scene.dcos('cluster remove --unavailable')).code).toBe(0);
    expect((await scene.dcos('cluster list --json')).stdout).toBe('[]\n');
  });

  test('without a cluster the error tells the command that sets one up', async () => {
    expect(await scene.dcos('task list')).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'Error: no cluster is set up. Run "dcos cluster setup http://127.0.0.1:8180" to set up the box ' +
        'on this machine, or "dcos cluster setup <url>" for another cluster.\n',
    });
  });

  test('attach, rename and DCOS_CLUSTER choose between two clusters', async () => {
    await scene.home.configure('http://127.0.0.1:1', 'aaaa-1');
    await scene.home.configure('http://127.0.0.1:2', 'bbbb-2');
    expect((await scene.dcos('cluster rename aaaa first')).code).toBe(0);
    expect((await scene.dcos('cluster attach bbbb')).code).toBe(0);
    expect((await scene.dcos('cluster open')).stdout).toBe('http://127.0.0.1:2\n');
    expect((await scene.dcos('cluster attach first')).code).toBe(0);
    expect((await scene.dcos('cluster open')).stdout).toBe('http://127.0.0.1:1\n');
    const environment = { DCOS_CLUSTER: 'bbbb-2' };
    expect((await scene.dcos('cluster open', { environment })).stdout).toBe('http://127.0.0.1:2\n');
    expect(await scene.dcos('cluster attach nope')).toMatchObject({
      code: 1,
      stderr: 'Error: unable to find cluster "nope"\n',
    });
  });
});

describe('transport', () => {
  test('an untrusted certificate is refused, and accepted when told so', async () => {
    const cluster = await scene.start(openCluster, { tls: true });
    const refused = await scene.dcos(`cluster setup ${cluster.url}`);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/^Error: the certificate of https:.* is not trusted/);
    // There is no cluster yet whose configuration could be changed.
    expect(refused.stderr).toContain(`dcos cluster setup ${cluster.url} --ca-certs <file>`);
    expect(refused.stderr).not.toContain('dcos config');
    // It names no authority that could be asked about.
    expect(cluster.lines()).toEqual(['GET /ca/dcos-ca.crt']);

    expect((await scene.dcos(`cluster setup ${cluster.url} --insecure`)).code).toBe(0);
    expect((await scene.dcos('config show core.ssl_verify')).stdout).toBe('false\n');
    expect((await scene.dcos('cluster list')).stdout).toContain('AVAILABLE');

    await writeFile(join(scene.home.directory, 'ca.pem'), testCertificate);
    expect((await scene.dcos(`cluster setup ${cluster.url} --ca-certs ca.pem`)).code).toBe(0);
    const path = join(scene.home.directory, 'data', 'clusters', 'c1d2', 'dcos_ca.crt');
    expect((await scene.dcos('config show core.ssl_verify')).stdout).toBe(`${path}\n`);
    expect(await readFile(path, 'utf8')).toBe(testCertificate);
    expect((await scene.dcos('cluster list')).stdout).toContain('AVAILABLE');
    const careless = { DCOS_SSL_VERIFY: 'false' };
    const setUp = `cluster setup ${cluster.url} --ca-certs ca.pem`;
    expect((await scene.dcos(setUp, { environment: careless })).code).toBe(0);
    expect((await scene.dcos('config show core.ssl_verify')).stdout).toBe(`${path}\n`);
    const environment = { DCOS_SSL_VERIFY: 'true' };
    expect((await scene.dcos('cluster list', { environment })).stdout).toContain('UNAVAILABLE');
    const untrusting = await scene.dcos('marathon ping', { environment });
    expect(untrusting.stderr).toContain('dcos config set core.ssl_verify <path or false>');
  });

  describe('a cluster that names an authority of its own', () => {
    const fingerprint = new X509Certificate(testCertificate).fingerprint256;
    const setUp = async (words: string, input?: string): Promise<DcosResult> => {
      const cluster = await scene.start(
        { ...openCluster, 'GET /ca/dcos-ca.crt': { text: testCertificate } },
        { tls: true },
      );
      const command = `cluster setup ${cluster.url}${words}`;
      return scene.dcos(command, { ...(input !== undefined && { input }) });
    };
    const setting = async (): Promise<string> =>
      (await scene.dcos('config show core.ssl_verify')).stdout;

    test('is trusted once its fingerprint is accepted', async () => {
      const accepted = await setUp('', 'maybe\nyes\n');
      expect(accepted.code, accepted.stderr).toBe(0);
      expect(accepted.stderr).toContain(`SHA-256 fingerprint:  ${fingerprint}\n`);
      expect(accepted.stderr).toContain('"maybe" is no answer');
      const path = join(scene.home.directory, 'data', 'clusters', 'c1d2', 'dcos_ca.crt');
      expect(await setting()).toBe(`${path}\n`);
      expect((await readFile(path, 'utf8')).trim()).toBe(testCertificate.trim());
      expect((await scene.dcos('cluster list')).stdout).toContain('AVAILABLE');
    });

    test.each([
      ['no', 'no\n'],
      ['silence', undefined],
    ])('is not trusted after %s', async (_, input) => {
      const refused = await setUp('', input);
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain(fingerprint);
      expect(refused.stderr).toMatch(
        /\nError: the certificate authority was not accepted, and nothing was changed\.\n.*--ca-certs/s,
      );
      expect((await scene.dcos('cluster list --json')).stdout).toBe('[]\n');
    });

    test('is trusted without a question by --no-check', async () => {
      expect((await setUp(' --no-check')).code).toBe(0);
      expect(await setting()).toContain('dcos_ca.crt');
    });

    test('is not asked for by who names another authority', async () => {
      await writeFile(join(scene.home.directory, 'other.pem'), strangersCertificate);
      const refused = await setUp(' --ca-certs other.pem', 'yes\n');
      expect(refused).toMatchObject({ code: 1, stdout: '' });
      expect(refused.stderr).toMatch(/^Error: the certificate of https:.* is not trusted/);
    });
  });

  test.each(['no certificate', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'])(
    'what is no authority cannot be accepted: %s',
    async (text) => {
      const routes = { ...openCluster, 'GET /ca/dcos-ca.crt': { text } };
      const cluster = await scene.start(routes, { tls: true });
      const refused = await scene.dcos(`cluster setup ${cluster.url} --no-check`, {
        input: 'yes\n',
      });
      expect(refused.code).toBe(1);
      expect(refused.stderr).toMatch(/is not trusted|cannot be read/);
    },
  );

  test('redirects keep the method, and the token stays with its host', async () => {
    const other = await scene.start({ 'GET /mesos/master/state': { json: stateDocument } });
    const cluster = await scene.attach({
      'GET /mesos/master/state': {
        status: 307,
        headers: { location: `${other.url.replace('127.0.0.1', 'localhost')}/mesos/master/state` },
      },
      'GET /service/marathon/v2/info': { status: 307, headers: { location: '/info' } },
      'GET /info': ({ headers }) => ({ json: { authorization: headers.authorization ?? null } }),
      'GET /loop': { status: 302, headers: { location: '/loop' } },
    });
    await scene.dcos('config set core.dcos_acs_token t0k3n');
    expect(await scene.dcos('task list -q')).toMatchObject({ code: 0 });
    expect(other.requests[0]?.headers.authorization).toBeUndefined();
    expect(JSON.parse((await scene.dcos('marathon about')).stdout)).toEqual({
      authorization: 'token=t0k3n',
    });
    await scene.dcos(`config set marathon.url ${cluster.url}/service/marathon`);
    expect(await scene.dcos(`marathon app add ${cluster.url}/loop`)).toEqual({
      code: 1,
      stdout: '',
      stderr: `Error: could not connect to ${cluster.url}: more than 5 redirects, the last one to /loop\n`,
    });
  });

  test('a server that says nothing is given up after core.timeout', async () => {
    const cluster = await scene.attach({ 'GET /mesos/master/state': () => undefined });
    await scene.dcos('config set core.timeout 1');
    expect(await scene.dcos('task list')).toEqual({
      code: 1,
      stdout: '',
      stderr:
        `Error: ${cluster.url} did not answer in time. ` +
        'Raise the limit with "dcos config set core.timeout <seconds>".\n',
    });
  });
});

describe('words on the command line', () => {
  test.each([
    [
      'maraton app list',
      'Error: "maraton" is not a command of "dcos". Did you mean "marathon"?\nRun "dcos help" for the list.\n',
    ],
    [
      'marathon app lst',
      'Error: "lst" is not a command of "dcos marathon app". Did you mean "list"?\nRun "dcos marathon app --help" for the list.\n',
    ],
    ['marathon app list --jsn', 'Error: unknown option "--jsn" (Did you mean --json?)\n'],
    ['marathon app show', 'Error: missing required argument "id"\n'],
    [
      'task log x --lines=many',
      'Error: --lines must be a whole number from 0 to 1000000, not "many"\n',
    ],
    ['node log', 'Error: "dcos node log" is not there yet in this version\n'],
    ['package list', 'Error: "dcos package" is not there yet in this version\n'],
    [
      'config set core.timeout soon',
      'Error: "soon" is no value for core.timeout: expected 0 to 86400 seconds\n',
    ],
  ])('%s', async (command, stderr) => {
    await scene.home.configure('http://127.0.0.1:1');
    expect(await scene.dcos(command)).toEqual({ code: 1, stdout: '', stderr });
  });

  test('help is on standard output, with exit code 0', async () => {
    const top = await scene.home.run([]);
    expect(top).toMatchObject({ code: 0, stderr: '' });
    expect(top.stdout).toContain('    marathon\n        Deploy and manage apps.\n');
    expect((await scene.dcos('marathon app')).stdout).toBe(
      (await scene.dcos('help marathon app')).stdout,
    );
    expect((await scene.dcos('marathon app update --help')).stdout).toContain(
      'Arguments:\n    [properties...]\n        name=value',
    );
  });

  test('deprecated forms work with a notice, and fail in strict mode', async () => {
    await scene.attach({ 'GET /mesos/master/state': { json: stateDocument } });
    const stderr = '"dcos service" is deprecated, use "dcos service list".\n';
    expect(await scene.dcos('service --json')).toMatchObject({ code: 0, stderr });
    const environment = { DCOS_CLI_STRICT_DEPRECATIONS: '1' };
    expect(await scene.dcos('service', { environment })).toEqual({
      code: 1,
      stdout: '',
      stderr: `Error: ${stderr}`,
    });
  });
});
