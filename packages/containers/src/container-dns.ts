/**
 * Name servers that containers get where their network says nothing about names: the operator's defaults by network.
 * A default for one network goes before one for all of its kind.
 */

export interface DnsSettings {
  readonly nameservers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
  /** Not with the Docker engine. */
  readonly domain?: string | undefined;
}

export interface DnsDefault {
  readonly mode: 'CNI' | 'HOST' | 'BRIDGE' | 'USER';
  /** Of the networks that have names; all of them when absent. */
  readonly network?: string | undefined;
  readonly dns: DnsSettings;
}

/** What holds for a network. */
export function dnsOf(
  defaults: readonly DnsDefault[],
  mode: DnsDefault['mode'],
  network?: string,
): DnsSettings | undefined {
  const ofKind = defaults.filter((one) => one.mode === mode);
  const found =
    ofKind.find((one) => one.network !== undefined && one.network === network) ??
    ofKind.find((one) => one.network === undefined);
  return found?.dns;
}
