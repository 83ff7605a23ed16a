// Asks who leads: a master, as any of them says it, and a server of ZooKeeper, as it says itself. Argument: JSON with the
// hosts of masters and the ports to ask. Prints one line of JSON with the hosts, such as {"master": "10.0.0.1",
// "zooKeeper": "10.0.0.2", "zooKeeperAway": ["10.0.0.3"]}, without leaders that nobody names. In a cluster with
// certificates it asks by TLS.
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { connect as connectTls, setDefaultCACertificates } from 'node:tls';

const ANSWER_MS = 5_000;
const AUTHORITIES = '/etc/dcos/tls/ca.crt';
const NODE = '/etc/dcos/tls/node.pem';

const { hosts, masterPort, zooKeeperPort } = JSON.parse(process.argv[1]);
const hasTls = existsSync(AUTHORITIES);
if (hasTls) setDefaultCACertificates([readFileSync(AUTHORITIES, 'utf8')]);

async function leadingMaster() {
  for (const host of hosts) {
    try {
      const answer = await fetch(`${hasTls ? 'https' : 'http'}://${host}:${masterPort}/redirect`, {
        redirect: 'manual',
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      const leader = /^(?:https?:)?\/\/([^:/]+)/.exec(answer.headers.get('location') ?? '')?.[1];
      if (leader !== undefined) return leader;
    } catch {
      // The next one may know.
    }
  }
  return undefined;
}

async function servers() {
  const states = await Promise.all(hosts.map(stateOf));
  // One that has no majority answers, without a mode.
  const zooKeeperAway = hosts.filter((_, index) => !states[index].includes('Mode: '));
  return {
    zooKeeper: hosts.find((_, index) => states[index].includes('Mode: leader')),
    // Where nobody answers, the question may be to blame, as with a certificate that has expired.
    zooKeeperAway: zooKeeperAway.length === hosts.length ? [] : zooKeeperAway,
  };
}

/** What a server of ZooKeeper says of itself; nothing for one that is away. */
async function stateOf(host) {
  return await new Promise((resolve) => {
    const chunks = [];
    const ask = () => socket.write('srvr');
    const pem = hasTls ? readFileSync(NODE) : undefined;
    const socket = hasTls
      ? connectTls({ host, port: zooKeeperPort, cert: pem, key: pem }, ask)
      : connect(zooKeeperPort, host, ask);
    socket.setTimeout(ANSWER_MS, () => socket.destroy());
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => resolve(Buffer.concat(chunks).toString()));
  });
}

const [master, ensemble] = await Promise.all([leadingMaster(), servers()]);
process.stdout.write(`${JSON.stringify({ master, ...ensemble })}\n`);
