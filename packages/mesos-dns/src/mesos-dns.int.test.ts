import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { decode, encode, type Packet } from 'dns-packet';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { silentLogger } from '@dcos/base';
import { FakeMaster } from '@dcos/sdk/testing';
import { startMesosDns, type MesosDns } from './start.ts';
import { agent, framework, task } from './testing/cluster-events.ts';

let master: FakeMaster;
let dns: MesosDns;

beforeAll(async () => {
  master = await FakeMaster.start();
  const tasks = Array.from({ length: 40 }, (_, index) =>
    task(`many.${index}`, { name: 'many', ports: [31000 + index, 31000 + index] }),
  );
  master.onStream = (stream) =>
    stream.sendOperator({
      type: 'SUBSCRIBED',
      subscribed: {
        get_state: {
          get_agents: { agents: [agent('m-S0', '10.0.0.1:5051')] },
          get_frameworks: { frameworks: [framework('f-0', 'marathon', '127.0.0.1')] },
          get_tasks: { tasks: [task('test', { name: 'web', ports: [31500, 31500] }), ...tasks] },
        },
      },
    });
  dns = await startMesosDns(
    { masters: [master.url], port: 0, httpPort: 0 },
    { logger: silentLogger },
  );
});

afterAll(async () => {
  await dns.close();
  await master.close();
});

function udp(type: string, name: string): Promise<Packet> {
  return udpBytes(encode({ type: 'query', id: 5, questions: [{ type, name }] }));
}

function udpBytes(bytes: ArrayLike<number>): Promise<Packet> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    socket.once('error', reject);
    socket.once('message', (message) => {
      socket.close();
      resolve(decode(message));
    });
    socket.send(Uint8Array.from(bytes), dns.dnsPort, '127.0.0.1');
  });
}

/** Sends the queries back to back on one connection and reads as many answers. */
function tcp(...questions: readonly (readonly [string, string])[]): Promise<readonly Packet[]> {
  return new Promise((resolve, reject) => {
    const socket = connect(dns.dnsPort, '127.0.0.1');
    let bytes = Buffer.alloc(0);
    const answers: Packet[] = [];
    socket.once('error', reject);
    socket.once('connect', () => {
      for (const [type, name] of questions) {
        const query = encode({ type: 'query', id: 6, questions: [{ type, name }] });
        socket.write(Buffer.concat([Buffer.from([query.length >> 8, query.length & 0xff]), query]));
      }
    });
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      while (bytes.length >= 2 && bytes.length >= 2 + bytes.readUInt16BE(0)) {
        const end = 2 + bytes.readUInt16BE(0);
        answers.push(decode(bytes.subarray(2, end)));
        bytes = bytes.subarray(end);
      }
      if (answers.length < questions.length) return;
      socket.destroy();
      resolve(answers);
    });
  });
}

async function getJson(path: string): Promise<unknown> {
  return (await fetch(`${dns.url}${path}`)).json();
}

describe('over UDP and TCP', () => {
  test('A and SRV of a task', async () => {
    expect((await udp('A', 'web.marathon.mesos')).answers).toMatchObject([
      { name: 'web.marathon.mesos', type: 'A', ttl: 60, data: '10.0.0.1' },
    ]);
    const srv = await udp('SRV', '_web._tcp.marathon.mesos');
    expect(srv.answers).toMatchObject([
      { type: 'SRV', data: { port: 31500, target: 'web-iffe9-s0.marathon.slave.mesos' } },
    ]);
    expect(srv.additionals).toMatchObject([{ type: 'A', data: '10.0.0.1' }]);
  });

  test('an answer over 512 bytes is cut with TC over UDP and whole over TCP', async () => {
    const cut = await udp('SRV', '_many._tcp.marathon.mesos');
    expect(cut.flag_tc).toBe(true);
    expect(cut.answers.length).toBeLessThan(40);
    const [whole, other] = await tcp(['SRV', '_many._tcp.marathon.mesos'], ['A', 'leader.mesos']);
    expect(whole?.flag_tc).toBe(false);
    expect(whole?.answers.length).toBe(40);
    expect(other?.answers).toMatchObject([{ data: '127.0.0.1' }]);
  });

  test('another operation than a query is answered with its own number', async () => {
    const answer = await udpBytes([0, 9, 0x10, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    expect(answer).toMatchObject({ id: 9, opcode: 'STATUS', rcode: 'NOTIMP' });
  });

  test('a foreign name is refused', async () => {
    const answer = await udp('A', 'example.com');
    expect(answer).toMatchObject({ rcode: 'REFUSED', flag_aa: false, flag_ra: false });
  });

  test('garbage is survived', async () => {
    const socket = createSocket('udp4');
    for (const length of [0, 1, 11, 12, 300])
      socket.send(Buffer.alloc(length, 0xff), dns.dnsPort, '127.0.0.1');
    expect((await udp('A', 'web.marathon.mesos')).rcode).toBe('NOERROR');
    socket.close();
  });

  test.skipIf(!existsSync('/usr/bin/dig'))('dig agrees', async () => {
    const flags = ['@127.0.0.1', '-p', String(dns.dnsPort), '+short', '+tries=1'];
    const dig = async (...query: string[]) =>
      (await promisify(execFile)('dig', [...flags, ...query])).stdout;
    expect(await dig('web.marathon.mesos')).toBe('10.0.0.1\n');
    expect(await dig('_web._tcp.marathon.mesos', 'SRV')).toBe(
      '0 1 31500 web-iffe9-s0.marathon.slave.mesos.\n',
    );
    expect((await dig('_many._tcp.marathon.mesos', 'SRV')).split('\n').length).toBe(41);
    expect(await dig('mesos', 'SOA')).toContain('ns1.mesos. root.ns1.mesos.');
  });
});

test('a change of a task is in the next answer', async () => {
  const stream = master.streams[0];
  stream?.sendOperator({ type: 'TASK_ADDED', task_added: { task: task('late') } });
  const deadline = performance.now() + 5_000;
  let answers: Packet['answers'] = [];
  while (answers.length === 0 && performance.now() < deadline) {
    ({ answers } = await udp('A', 'late.marathon.mesos'));
  }
  expect(answers).toMatchObject([{ data: '10.0.0.1' }]);
});

describe('over HTTP', () => {
  test('hosts and services', async () => {
    expect(await getJson('/v1/hosts/web.marathon.mesos.')).toEqual([
      { host: 'web.marathon.mesos.', ip: '10.0.0.1' },
    ]);
    expect(await getJson('/v1/hosts/leader.mesos')).toEqual([
      { host: 'leader.mesos.', ip: '127.0.0.1' },
    ]);
    expect(await getJson('/v1/hosts/none.mesos')).toEqual([{ host: '', ip: '' }]);
    expect(await getJson('/v1/services/_web._tcp.marathon.mesos')).toEqual([
      {
        service: '_web._tcp.marathon.mesos',
        host: 'web-iffe9-s0.marathon.slave.mesos.',
        ip: '10.0.0.1',
        port: '31500',
      },
    ]);
    expect(await getJson('/v1/services/none')).toEqual([
      { service: '', host: '', ip: '', port: '' },
    ]);
  });

  test('listings, version and settings', async () => {
    expect(await getJson('/v1/enumerate')).toMatchObject({
      frameworks: [
        {
          name: 'marathon',
          tasks: expect.arrayContaining([expect.objectContaining({ name: 'web' })]),
        },
      ],
    });
    expect(await getJson('/v1/axfr')).toMatchObject({
      TTL: 60,
      Domain: 'mesos',
      Records: {
        As: { 'leader.mesos.': ['127.0.0.1'] },
        SRVs: { '_leader._tcp.mesos.': [expect.stringMatching(/^leader\.mesos\.:\d+$/)] },
      },
    });
    expect(await getJson('/v1/version')).toMatchObject({ Service: 'Mesos-DNS' });
    expect(await getJson('/v1/config')).toMatchObject({
      Domain: 'mesos',
      IPSources: ['host', 'netinfo'],
      Port: dns.dnsPort,
      HttpPort: dns.port,
    });
  });

  test.each([
    ['GET', '/v1/nothing', 404],
    ['POST', '/v1/version', 405],
    ['GET', '/v1/hosts/web.marathon.mesos/ports', 501],
  ])('%s %s is %i', async (method, path, status) => {
    expect((await fetch(`${dns.url}${path}`, { method })).status).toBe(status);
  });
});

test('what is known stays in service while the master is away', async () => {
  master.streams[0]?.end();
  expect((await udp('A', 'web.marathon.mesos')).answers.length).toBe(1);
});
