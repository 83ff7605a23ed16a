/** What a client trusts, and shows when it is asked, where the other side speaks TLS. */

/** Texts in PEM; read for each connection, so that they may be renewed in their place. */
export interface TlsOptions {
  /** The authorities whose certificates are trusted, in place of the system's. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}
