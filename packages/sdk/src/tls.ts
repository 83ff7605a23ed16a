/** What a client trusts, and shows when it is asked, where the other side speaks TLS. */

/** Texts in PEM. */
export interface TlsOptions {
  /** The authorities whose certificates are trusted, in place of the system's. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}
