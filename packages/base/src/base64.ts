/**
 * Standard base64 with padding, in plain code: pure packages have neither `Buffer` nor `atob`.
 */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const VALUES = new Map(Array.from(ALPHABET, (character, index) => [character, index] as const));

/** Encodes bytes with padding. */
export function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let index = 0; index < bytes.length; index += 3) {
    const first = bytes[index] as number;
    const second = bytes[index + 1];
    const third = bytes[index + 2];
    text += ALPHABET.charAt(first >> 2);
    text += ALPHABET.charAt(((first & 0x03) << 4) | ((second ?? 0) >> 4));
    text +=
      second === undefined ? '=' : ALPHABET.charAt(((second & 0x0f) << 2) | ((third ?? 0) >> 6));
    text += third === undefined ? '=' : ALPHABET.charAt(third & 0x3f);
  }
  return text;
}

/** Decodes standard base64, padding optional; undefined when the text is not base64. */
export function fromBase64(text: string): Uint8Array | undefined {
  const body = text.replace(/={1,2}$/, '');
  if (body.length % 4 === 1) return undefined;
  const bytes = new Uint8Array(Math.floor((body.length * 3) / 4));
  let buffer = 0;
  let bits = 0;
  let length = 0;
  for (const character of body) {
    const value = VALUES.get(character);
    if (value === undefined) return undefined;
    buffer = ((buffer << 6) | value) & 0xffffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[length++] = (buffer >> bits) & 0xff;
    }
  }
  return bytes;
}
