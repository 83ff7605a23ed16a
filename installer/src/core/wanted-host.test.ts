import { expect, test } from 'vitest';
import { testCluster, testRelease, wantedOf } from '../testing/clusters.ts';
import { unitPath, type WantedHost } from './wanted-host.ts';

const textOf = (host: WantedHost | undefined, path: string): string =>
  String(host?.files.find((file) => file.path === path)?.text);
const settingsOf = (host: WantedHost | undefined, name: string): unknown =>
  JSON.parse(textOf(host, `/etc/dcos/${name}.json`));

test('units are what systemd reads: sections, one setting a line', () => {
  for (const host of wantedOf(testCluster({ publicAgents: 1 }))) {
    for (const { name, fingerprint } of host.units) {
      const lines = textOf(host, unitPath(name)).split('\n');
      const bad = lines.filter(
        (line) => !/^(|#.*|\[(Unit|Service|Install)\]|[A-Z]\w*=.+)$/.test(line),
      );
      expect(bad).toEqual([]);
      expect(lines).toContain('[Service]');
      expect(lines).toContain(`Environment=DCOS_UNIT_FINGERPRINT=${fingerprint}`);
      expect(lines).toContain('WantedBy=dcos.target');
    }
    expect(textOf(host, '/etc/systemd/system/dcos.target').split('\n')).toContain('[Install]');
  }
});

test('a program starts from the active release with its file of settings', () => {
  const [master] = wantedOf(testCluster());
  expect(textOf(master, unitPath('dcos-mesos-master')).split('\n')).toContain(
    'ExecStart=/opt/dcos/active/bin/node /opt/dcos/active/lib/master.js --config-file=/etc/dcos/mesos-master.json',
  );
});

test('all find ZooKeeper on all masters, in the same order', () => {
  const hosts = wantedOf(testCluster({ masters: 3 }));
  const zk = 'zk://10.0.0.10:2181,10.0.0.11:2181,10.0.0.12:2181';
  expect(settingsOf(hosts[1], 'mesos-master')).toMatchObject({
    ip: '10.0.0.11',
    zk: `${zk}/mesos`,
  });
  expect(settingsOf(hosts[1], 'marathon')).toMatchObject({
    zk: `${zk}/marathon`,
    masters: `${zk}/mesos`,
  });
  expect(settingsOf(hosts[3], 'mesos-slave')).toMatchObject({
    ip: '10.0.0.20',
    masters: `${zk}/mesos`,
  });
  expect(textOf(hosts[2], '/var/lib/dcos/zookeeper/myid')).toBe('3\n');
  expect(textOf(hosts[2], '/etc/dcos/zookeeper.cfg')).toContain('server.3=10.0.0.12:2888:3888\n');
});

test('a server that is alone is no ensemble', () => {
  expect(textOf(wantedOf(testCluster())[0], '/etc/dcos/zookeeper.cfg')).not.toContain('server.');
});

test('public agents offer their resources to slave_public, and say what they are', () => {
  const hosts = wantedOf(testCluster({ publicAgents: 1 }));
  expect(settingsOf(hosts[2], 'mesos-slave-public')).toMatchObject({
    defaultRole: 'slave_public',
    attributes: 'public_ip:true',
    resources: 'ports:[1-21]',
  });
});

test('tasks find Node even where the host has none, after all that the host has', () => {
  const settings = settingsOf(wantedOf(testCluster())[1], 'mesos-slave');
  expect(settings).toMatchObject({
    executorEnvironment: {
      PATH: expect.stringMatching(/^\/usr.*:\/bin:\/opt\/dcos\/active\/bin$/),
    },
  });
});

test('a fingerprint changes with the release and with settings, and not without', () => {
  const prints = (hosts: readonly WantedHost[]): readonly (readonly [string, string])[] =>
    hosts.flatMap(({ units }) =>
      units.map(({ name, fingerprint }) => [name, fingerprint] as const),
    );
  const cluster = testCluster();
  const before = new Map(prints(wantedOf(cluster)).map(([name, print]) => [print, name]));
  expect(new Map(prints(wantedOf(cluster)).map(([name, print]) => [print, name]))).toEqual(before);
  expect(before.size).toBe(prints(wantedOf(cluster)).length);
  const upgraded = prints(wantedOf(cluster, { ...testRelease, hash: 'other' }));
  // It is the distribution's, whatever release of ours is there.
  expect(upgraded.flatMap(([, print]) => before.get(print) ?? [])).toEqual(['dcos-zookeeper']);
});
