/**
 * Certificates that are renewed while a component runs: their files are looked at now and then, and what they hold anew
 * is shown and trusted from the next connection on. Connections that are open stay as they are.
 *
 * Invariants: a pair that does not fit, or a file that cannot be read, changes nothing (files are often replaced one
 * after the other) and is told once. A certificate that has expired, or soon will have, is told at the start, with
 * its file, and again each day.
 */

import { readFile } from 'node:fs/promises';
import { errorText, type Logger } from '@dcos/base';
import type { HttpServer } from './http-server.ts';
import {
  certificatesOf,
  readTls,
  type ClientTls,
  type ServerTls,
  type TlsSettings,
} from './tls.ts';

/** Time between two looks. */
const LOOK_MS = 10_000;
const DAY_MS = 86_400_000;
/** A certificate that ends within this is told of. */
const SOON_MS = 7 * DAY_MS;

export interface TlsWatchOptions {
  readonly settings: TlsSettings;
  /** What `readTls` read; `client` is brought up to date in its place. */
  readonly tls: { readonly server: ServerTls | undefined; readonly client: ClientTls };
  /** Shows what is new; not yet listening. With its end the looking ends. */
  readonly server: HttpServer;
  readonly logger: Logger;
  /** Stands in for the clock. */
  readonly now?: () => number;
}

export interface TlsWatch {
  /** One look now. */
  look(): Promise<void>;
}

/** Starts looking. */
export function watchTls({
  settings,
  tls,
  server: shown,
  logger,
  now = Date.now,
}: TlsWatchOptions): TlsWatch {
  const files = [settings.sslCertFile, settings.sslKeyFile, settings.sslCaFile].filter(
    (file) => file !== undefined,
  );
  const { cert, key, ca } = tls.client;
  let seen = [cert, key, ca].filter((text) => text !== undefined).join('\0');
  let toldAt = now();
  const tellDates = (): void => {
    toldAt = now();
    for (const { problem, event } of problemsOf(settings, tls.client, toldAt))
      logger.warn({ event }, problem);
  };
  const look = async (): Promise<void> => {
    const before = seen;
    seen = await contentsOf(files);
    if (seen !== before) renew();
    if (now() - toldAt >= DAY_MS) tellDates();
  };
  const renew = (): void => {
    try {
      const { server, client } = readTls(settings);
      // Whoever connects from now on reads it anew.
      Object.assign(tls.client, client);
      if (server !== undefined) shown.renewTls(server);
      logger.info({ event: 'tls.renewed' }, `read ${files.join(', ')} anew`);
      tellDates();
    } catch (error) {
      const reason = errorText(error);
      logger.warn({ event: 'tls.refused' }, `renewed files are not used yet: ${reason}`);
    }
  };
  tellDates();
  if (files.length > 0) {
    const timer = setInterval(() => void look(), LOOK_MS).unref();
    shown.app.addHook('onClose', () => clearInterval(timer));
  }
  return { look };
}

/** All of them as one text; what cannot be read counts as empty. */
async function contentsOf(files: readonly string[]): Promise<string> {
  const texts = files.map(async (file) => await readFile(file, 'utf8').catch(() => ''));
  return (await Promise.all(texts)).join('\0');
}

function problemsOf(
  { sslCertFile = '', sslCaFile = '' }: TlsSettings,
  { cert, ca }: ClientTls,
  now: number,
): readonly { readonly event: string; readonly problem: string }[] {
  const all = [
    ...certificatesOf(cert ?? '').map((one) => ({ one, what: `sslCertFile ${sslCertFile}` })),
    ...certificatesOf(ca ?? '').map((one) => ({ one, what: `sslCaFile ${sslCaFile}` })),
  ];
  return all.flatMap(({ one, what }) => {
    const named = `${what}: the certificate of ${one.subject.replaceAll('\n', ', ')}`;
    const from = Date.parse(one.validFrom);
    const to = Date.parse(one.validTo);
    if (to <= now) return [{ event: 'tls.expired', problem: `${named} expired on ${day(to)}` }];
    if (from > now)
      return [{ event: 'tls.not-yet-valid', problem: `${named} is not valid before ${day(from)}` }];
    if (to - now < SOON_MS)
      return [{ event: 'tls.expires-soon', problem: `${named} expires on ${day(to)}` }];
    return [];
  });
}

const day = (instant: number): string => new Date(instant).toISOString();
