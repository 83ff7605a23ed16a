/**
 * The part of a simulated ZooKeeper server that clients see: connections, sessions that come and go with them,
 * reads from the server's own tree, which may be behind the others, and watches that fire when that tree changes.
 *
 * Invariants, as clients of the original may rely on: requests of a connection are answered in their order; an
 * event is sent before any answer that shows the change; a client that has seen more than this server is sent away.
 */

import { FrameReader, JuteWriter } from '@dcos/store/protocol';
import type { Connection, Side } from '../connection.ts';
import {
  answerFrame,
  doneBody,
  helloFrame,
  multiReadBody,
  readHello,
  readPacket,
  refusedBody,
  writeStat,
  type ClientPacket,
  type ClientRequest,
} from './client-packets.ts';
import type { NodeTree } from './node-tree.ts';
import type { Outcome, Proposal, Wish } from './proposals.ts';
import { createWatches, type Watches } from './watches.ts';

/** `syn` asks for the connection, `accepted` grants it; bytes follow. */
export type ToServer = Uint8Array | 'syn';
export type ToClient = Uint8Array | 'accepted';
export type ClientLink = Connection<ToServer, ToClient>;

const PACKET_BYTES_MAX = 1 << 21;

export interface DeskOptions {
  readonly name: string;
  readonly tree: () => NodeTree;
  /** Without a leader there is no service. */
  readonly isServing: () => boolean;
  /** Sends a wish to the leader. */
  readonly forward: (wish: Wish) => void;
  /** Something was heard from that session. */
  readonly touched: (session: bigint) => void;
  /** Numbers wishes; never the same twice. */
  readonly nextNumber: () => number;
}

export interface ClientDesk {
  accept(link: ClientLink): Side<ToServer>;
  /** The tree has just taken this. */
  applied(proposal: Proposal): void;
  answered(wish: Wish, outcome: Outcome): void;
  /** Breaks all connections. */
  closeAll(): void;
}

interface Client {
  readonly link: ClientLink;
  readonly frames: FrameReader;
  readonly watches: Watches;
  readonly queue: ClientPacket[];
  session: bigint;
  isOpen: boolean;
  /** What the leader was asked for; everything behind it waits. */
  waitsFor: { readonly wish: Wish; readonly xid: number } | undefined;
}

export function createClientDesk(options: DeskOptions): ClientDesk {
  const { tree, forward } = options;
  const clients = new Set<Client>();

  function close(client: Client): void {
    if (!clients.delete(client)) return;
    client.link.closeFromLeft();
  }

  function receive(client: Client, bytes: Uint8Array): void {
    client.frames.push(bytes);
    for (let packet = client.frames.next(); packet !== undefined; packet = client.frames.next()) {
      if (client.session === 0n && client.waitsFor === undefined) hello(client, packet);
      else client.queue.push(readPacket(packet));
    }
    if (client.isOpen) options.touched(client.session);
    serve(client);
  }

  function hello(client: Client, packet: Uint8Array): void {
    const { lastZxid, timeoutMs, session } = readHello(packet);
    if (lastZxid > tree().zxid) return close(client);
    for (const other of clients) if (session !== 0n && other.session === session) close(other);
    ask(client, 0, session === 0n ? { kind: 'open', timeoutMs } : { kind: 'reopen' }, session);
  }

  function ask(client: Client, xid: number, what: Wish['what'], session: bigint): void {
    const wish: Wish = { number: options.nextNumber(), server: options.name, session, what };
    client.waitsFor = { wish, xid };
    forward(wish);
  }

  function serve(client: Client): void {
    while (client.isOpen && client.waitsFor === undefined && clients.has(client)) {
      const packet = client.queue.shift();
      if (packet === undefined) return;
      handle(client, packet);
    }
  }

  function handle(client: Client, { xid, request }: ClientPacket): void {
    switch (request.kind) {
      case 'write':
        return ask(client, xid, request, client.session);
      case 'sync':
        return ask(client, xid, request, client.session);
      case 'closeSession':
        return ask(client, xid, { kind: 'close' }, client.session);
      default:
        client.link.sendToRight(readAnswer(client, xid, request));
    }
  }

  function readAnswer(client: Client, xid: number, request: ClientRequest): Uint8Array {
    const { watches } = client;
    const { nodes, zxid } = tree();
    const answer = (body?: JuteWriter): Uint8Array => answerFrame(xid, zxid, undefined, body);
    switch (request.kind) {
      case 'setWatches':
        for (const event of watches.setAgain(request.watched, nodes))
          client.link.sendToRight(event);
        return answer();
      case 'addWatch':
        watches.add(request.recursive ? 'recursive' : 'persistent', request.path);
        return answer();
      case 'multiRead':
        return answer(multiReadBody(tree(), request.paths));
      case 'exists':
      case 'getData':
      case 'getChildren': {
        const node = nodes.get(request.path);
        if (request.watch) watches.addOf(request.kind, request.path, node !== undefined);
        if (node === undefined) return answerFrame(xid, zxid, 'NONODE');
        const body = new JuteWriter();
        if (request.kind === 'getData') body.buffer(node.data);
        if (request.kind === 'getChildren')
          body.list([...node.children], (child) => body.text(child));
        return answer(writeStat(body, node));
      }
      default:
        return answer();
    }
  }

  /** The client that waits for that wish, which waits no more. */
  function settle(wish: Wish): { readonly client: Client; readonly xid: number } | undefined {
    for (const client of clients) {
      const { waitsFor } = client;
      if (waitsFor?.wish.number !== wish.number) continue;
      client.waitsFor = undefined;
      return { client, xid: waitsFor.xid };
    }
    return undefined;
  }

  function open(client: Client, session: bigint, timeoutMs: number): void {
    client.session = session;
    client.isOpen = timeoutMs > 0;
    client.link.sendToRight(helloFrame(timeoutMs, client.isOpen ? session : 0n));
    if (!client.isOpen) close(client);
    else serve(client);
  }

  function done(wish: Wish, { planned, transaction }: Proposal): void {
    const found = settle(wish);
    if (found === undefined) return;
    const { client, xid } = found;
    const { what } = wish;
    const { zxid } = transaction;
    if (what.kind === 'open') return open(client, transaction.session, what.timeoutMs);
    if (what.kind === 'write') {
      const body = doneBody(tree(), what.operations, { changes: planned, isMulti: what.isMulti });
      client.link.sendToRight(answerFrame(xid, zxid, undefined, body));
    } else client.link.sendToRight(answerFrame(xid, zxid, undefined));
    serve(client);
  }

  return {
    accept(link) {
      const client: Client = {
        link,
        frames: new FrameReader(PACKET_BYTES_MAX),
        watches: createWatches(),
        queue: [],
        session: 0n,
        isOpen: false,
        waitsFor: undefined,
      };
      return {
        receive(message) {
          if (message !== 'syn') {
            if (clients.has(client)) receive(client, message);
          } else if (options.isServing()) {
            clients.add(client);
            link.sendToRight('accepted');
          } else link.closeFromLeft();
        },
        closed: () => void clients.delete(client),
      };
    },
    applied(proposal) {
      const { transaction, wish } = proposal;
      for (const client of clients) {
        for (const event of client.watches.fire(transaction.changes))
          client.link.sendToRight(event);
      }
      if (wish?.server === options.name) done(wish, proposal);
      const ended = new Set(
        transaction.changes.flatMap((change) =>
          change.kind === 'closeSession' ? [change.session] : [],
        ),
      );
      for (const client of clients) if (ended.has(client.session)) close(client);
    },
    answered(wish, outcome) {
      const found = settle(wish);
      if (found === undefined) return;
      const { client, xid } = found;
      const { zxid } = tree();
      switch (outcome.kind) {
        case 'moved':
          return close(client);
        case 'reopened':
          return open(client, wish.session, outcome.timeoutMs);
        case 'synced': {
          const path = wish.what.kind === 'sync' ? wish.what.path : '';
          client.link.sendToRight(answerFrame(xid, zxid, undefined, new JuteWriter().text(path)));
          break;
        }
        case 'refused': {
          const { index, error } = outcome;
          const isMulti = wish.what.kind === 'write' && wish.what.isMulti;
          const count = wish.what.kind === 'write' ? wish.what.operations.length : 0;
          client.link.sendToRight(
            isMulti
              ? answerFrame(xid, zxid, undefined, refusedBody(count, index, error))
              : answerFrame(xid, zxid, error),
          );
        }
      }
      serve(client);
    },
    closeAll() {
      for (const client of clients) client.link.break();
      clients.clear();
    },
  };
}
