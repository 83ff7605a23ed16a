/**
 * Shell patterns for names: `*`, `?`, `[a-z]`, `[!a]`. Linear in pattern times text, so that a
 * pattern with many stars costs no more than any other.
 */

/** True when the text holds a character that makes it a pattern. */
export function isGlob(text: string): boolean {
  return /[*?[]/.test(text);
}

/** True when the whole text matches the pattern. An unclosed bracket stands for itself. */
export function matchesGlob(pattern: string, text: string): boolean {
  const tokens = toTokens(pattern);
  let at = 0;
  let token = 0;
  let starToken = -1;
  let starAt = 0;
  while (at < text.length) {
    const current = tokens[token];
    if (current === 'star') {
      starToken = token;
      starAt = at;
      token += 1;
    } else if (current !== undefined && current(text.charAt(at))) {
      token += 1;
      at += 1;
    } else if (starToken >= 0) {
      // Let the last star swallow one more character.
      starAt += 1;
      at = starAt;
      token = starToken + 1;
    } else {
      return false;
    }
  }
  while (tokens[token] === 'star') token += 1;
  return token === tokens.length;
}

type Token = 'star' | ((character: string) => boolean);

function toTokens(pattern: string): readonly Token[] {
  const tokens: Token[] = [];
  for (let index = 0; index < pattern.length; index += 1) {
    const character = pattern.charAt(index);
    const close = character === '[' ? pattern.indexOf(']', index + 2) : -1;
    if (character === '*') tokens.push('star');
    else if (character === '?') tokens.push(() => true);
    else if (close > 0) {
      tokens.push(toClass(pattern.slice(index + 1, close)));
      index = close;
    } else tokens.push((other) => other === character);
  }
  return tokens;
}

function toClass(body: string): (character: string) => boolean {
  const negated = body.startsWith('!') || body.startsWith('^');
  const members = negated ? body.slice(1) : body;
  return (character) => {
    let found = false;
    for (let index = 0; index < members.length; index += 1) {
      const from = members.charAt(index);
      const isRange = members.charAt(index + 1) === '-' && index + 2 < members.length;
      const to = isRange ? members.charAt(index + 2) : from;
      if (character >= from && character <= to) found = true;
      if (isRange) index += 2;
    }
    return found !== negated;
  };
}
