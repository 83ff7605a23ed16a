/** Networks by the distribution's plug-ins, for real. All traffic stays on this host. */

import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { DnsDefault } from '../container-dns.ts';
import type { ContainerSpec } from '../runtime.ts';
import { ociObstacle, ociScene } from '../testing/oci-scene.ts';
import { until } from '../testing/runtime-contract.ts';

const hasPlugins = existsSync('/usr/lib/cni/bridge') && existsSync('/usr/sbin/iptables');
const hasBusybox = existsSync('/bin/busybox');
const reason =
  (await ociObstacle()) ??
  (hasPlugins && hasBusybox
    ? undefined
    : 'apt-get install containernetworking-plugins iptables busybox-static');
if (reason !== undefined) console.warn(`SKIPPED networks of the oci runtime: ${reason}`);

const bridge = (name: string, subnet: string): string =>
  JSON.stringify({
    cniVersion: '0.4.0',
    name,
    plugins: [
      {
        type: 'bridge',
        bridge: `t-${name}`,
        ipam: { type: 'host-local', ranges: [[{ subnet }]] },
        dns: { nameservers: ['10.213.0.1'], search: [name] },
      },
    ],
  });

/** Answers `hello` to whoever connects. */
const server = (port: number): string => `while :; do echo hello | busybox nc -l -p ${port}; done`;

async function ask(host: string, port: number): Promise<string> {
  const socket = connect({ host, port });
  let text = '';
  socket.on('data', (chunk) => (text += chunk.toString('utf8')));
  socket.on('error', () => undefined);
  socket.setTimeout(1_000, () => socket.destroy());
  await once(socket, 'close').catch(() => undefined);
  return text;
}

/** Asks until there is an answer. */
async function answer(host: string, port: number): Promise<string> {
  const state = { text: '', isAsking: false };
  await until(() => {
    if (!state.isAsking && state.text === '') {
      state.isAsking = true;
      void ask(host, port).then((text) => Object.assign(state, { text, isAsking: false }));
    }
    return state.text !== '';
  }, `${host}:${port} answers`);
  return state.text;
}

describe.skipIf(reason !== undefined)('networks of the oci runtime', () => {
  const dns: DnsDefault = {
    mode: 'CNI',
    dns: { nameservers: ['10.213.0.9'], search: ['usual'], options: [], domain: 'd.example' },
  };
  const scene = ociScene((root) => ({ cni: { configDir: join(root, 'cni'), dns: [dns] } }));
  beforeAll(async () => {
    const directory = join(scene().root, 'cni');
    await mkdir(directory);
    await writeFile(join(directory, '10-a.conflist'), bridge('neta', '10.213.1.0/24'));
    await writeFile(join(directory, '20-b.conflist'), bridge('netb', '10.213.2.0/24'));
    await writeFile(join(directory, '30-broken.conf'), '{');
  });

  test('one at a terminal has its address before its program runs', async () => {
    const { ipAddresses, id, output } = await scene().launch('busybox ip -4 addr; cat /etc/hosts', {
      container: {
        type: 'MESOS',
        network_infos: [{ name: 'mesos-bridge' }],
        hostname: 'box',
        tty_info: {},
      },
    });
    await scene().runtime.wait(id);
    expect(await output()).toContain(`inet ${ipAddresses[0] ?? 'none'}/`);
    expect(await output()).toMatch(new RegExp(`${ipAddresses[0] ?? 'none'}\\s+box`));
  });

  test('a container on the bridge has an address and a port of the host', async () => {
    const { ipAddresses, id } = await scene().launch(server(80), {
      container: {
        type: 'MESOS',
        network_infos: [
          {
            name: 'mesos-bridge',
            port_mappings: [{ host_port: 31_913, container_port: 80, protocol: 'tcp' }],
          },
        ],
      },
    });
    expect(ipAddresses).toEqual([expect.stringMatching(/^172\.31\.254\.\d+$/)]);
    expect(await answer(ipAddresses[0] ?? '', 80)).toBe('hello\n');
    expect(await answer('127.0.0.1', 31_913)).toBe('hello\n');
    await scene().runtime.remove(id);
    expect(await ask('127.0.0.1', 31_913)).toBe('');
  });

  test('a network that says nothing about names has the operator’s name servers', async () => {
    const { id, output } = await scene().launch('cat /etc/resolv.conf', {
      container: { type: 'MESOS', network_infos: [{ name: 'mesos-bridge' }] },
    });
    await scene().runtime.wait(id);
    expect(await output()).toBe('domain d.example\nsearch usual\nnameserver 10.213.0.9\n');
  });

  test('a container may have several networks, and knows its name', async () => {
    const { ipAddresses, id, output } = await scene().launch(
      'hostname; cat /etc/hosts /etc/resolv.conf; ls /sys/class/net | sort; ip -4 -o addr',
      {
        container: {
          type: 'MESOS',
          hostname: 'web',
          network_infos: [{ name: 'neta' }, { name: 'netb' }],
        },
      },
    );
    await scene().runtime.wait(id);
    const text = await output();
    expect(ipAddresses).toEqual([
      expect.stringMatching(/^10\.213\.1\./),
      expect.stringMatching(/^10\.213\.2\./),
    ]);
    expect(text).toMatch(/^web\n/);
    for (const address of ipAddresses) expect(text).toContain(`${address}\tweb\n`);
    expect(text).toContain('search neta\nnameserver 10.213.0.1\n');
    expect(text).toMatch(/eth0.*10\.213\.1\./);
    expect(text).toMatch(/eth1.*10\.213\.2\./);
  });

  test('nested containers share the network of the one around them', async () => {
    const around = await scene().launch('exec sleep 60', {
      container: { type: 'MESOS', network_infos: [{ name: 'neta' }] },
    });
    const nested = { parentId: around.id };
    await scene().launch(server(8_080), nested);
    const client = 'until busybox nc 127.0.0.1 8080 | grep hello; do sleep 0.1; done';
    expect(await scene().said(client, nested)).toContain('hello\n');
    const volume = (path: string): Partial<ContainerSpec> => ({
      ...nested,
      parentSandboxPath: around.spec.sandboxPath,
      container: {
        type: 'MESOS',
        volumes: [
          {
            mode: 'RW',
            container_path: path,
            source: { type: 'SANDBOX_PATH', sandbox_path: { type: 'PARENT', path: 'shared' } },
          },
        ],
      },
    });
    await scene().said('echo word >here/file', volume('here'));
    expect(await scene().said('cat there/file', volume('there'))).toBe('word\n');
  });

  test('addresses are known after a restart, and freed with the container', async () => {
    const first = await scene().launch('exec sleep 60', {
      container: { type: 'MESOS', network_infos: [{ name: 'netb' }] },
    });
    const again = scene().open();
    const [found] = await again.recover([first.spec]);
    expect(found).toMatchObject({
      kind: 'running',
      started: {
        ipAddresses: first.ipAddresses,
        networks: [{ name: 'netb', ipAddresses: first.ipAddresses }],
      },
    });
    await again.remove(first.id);
    expect(existsSync(`/var/lib/cni/networks/netb/${first.ipAddresses[0]}`)).toBe(false);
  });

  test('a network that is not there is named, with those that are', async () => {
    const launching = scene().launch('true', {
      container: { type: 'MESOS', network_infos: [{ name: 'nowhere' }] },
    });
    await expect(launching).rejects.toMatchObject({
      code: 'CONTAINER_INVALID',
      message: "unknown network 'nowhere': there are mesos-bridge, neta, netb",
    });
  });
});
