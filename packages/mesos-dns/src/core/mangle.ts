/**
 * How names of tasks, frameworks and ports become DNS labels.
 *
 * Invariant: a label has only `a-z`, `0-9` and `-`, neither begins nor ends with `-`, and is no longer
 * than its limit; it may be empty when nothing usable is left.
 * Source: observed behaviour of Mesos-DNS. Differing from it, limits hold for the whole label that is
 * published, hash and underscore included: the original makes labels that nobody can ask for.
 */

/** Bytes of one DNS label. */
export const LABEL_BYTES_MAX = 63;
/** Bytes of one label when the strict rules of RFC 952 are asked for. */
export const LABEL_BYTES_MAX_RFC952 = 24;

export interface LabelRules {
  readonly bytesMax: number;
  /** What may not stand at the beginning. */
  readonly leading: RegExp;
}

export const RFC1123: LabelRules = { bytesMax: LABEL_BYTES_MAX, leading: /^-+/ };
export const RFC952: LabelRules = { bytesMax: LABEL_BYTES_MAX_RFC952, leading: /^[-0-9]+/ };

/** A text as one label: dots and underscores become dashes, what DNS cannot carry is dropped. */
export function toLabel(text: string, rules: LabelRules = RFC1123): string {
  const usable = text
    .toLowerCase()
    .replaceAll(/[._]/g, '-')
    .replaceAll(/[^-a-z0-9]/g, '')
    .replace(rules.leading, '');
  const cut = usable.slice(0, rules.bytesMax);
  const kept = cut.replace(/-+$/, '');
  // Room that trailing dashes gave back is filled from what was cut off.
  const room = cut.length - kept.length;
  if (room === 0) return kept;
  const rest = usable.slice(rules.bytesMax).replace(/^-+/, '').slice(0, room);
  return (kept + rest).replace(/-+$/, '');
}

/** A framework's name as labels joined by dots, which the name may contain. */
export function toDomainFragment(name: string, rules: LabelRules = RFC1123): string {
  return name
    .split('.')
    .map((piece) => toLabel(piece, rules))
    .filter((label) => label !== '')
    .join('.');
}

/** A label followed by a suffix, cut so that both fit into one label. */
export function withSuffix(label: string, suffix: string): string {
  const room = Math.max(0, LABEL_BYTES_MAX - suffix.length);
  return label.slice(0, room).replace(/-+$/, '') + suffix;
}

/** The label of a service or protocol in an SRV owner name: an underscore in front. */
export function serviceLabel(label: string): string {
  return `_${label.slice(0, LABEL_BYTES_MAX - 1).replace(/-+$/, '')}`;
}

const Z_BASE_32 = 'ybndrfg8ejkmcpqxot1uwisza345h769';
const HASH_CHARACTERS = 5;

/**
 * The five characters that tell tasks of one name apart.
 * @param digest SHA-1 of the task id.
 */
export function taskHash(digest: Uint8Array): string {
  let text = '';
  let buffer = 0;
  let bits = 0;
  for (const byte of digest) {
    buffer = ((buffer << 8) | byte) & 0xffff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += Z_BASE_32.charAt((buffer >> bits) & 31);
      if (text.length === HASH_CHARACTERS) return text;
    }
  }
  return text;
}

/** The part of an agent's id that stands in names: after the last dash, in lower case. */
export function agentTail(agentId: string): string {
  return toLabel(agentId.slice(agentId.lastIndexOf('-') + 1));
}
