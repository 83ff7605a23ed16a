/**
 * An argument vector as the text that sshd hands to the shell of the account. SSH has no vectors: what arrives must
 * come apart into the same words again, in any shell that knows single quotes.
 */

/** Safe in every shell as it is. */
const PLAIN = /^[\w@%+=:,./-]+$/;

/** Throws where a word cannot be given to a program at all. */
export function shellWords(argv: readonly string[]): string {
  return argv
    .map((word) => {
      if (word.includes('\0')) throw new TypeError('a word for a program holds a NUL byte');
      return PLAIN.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
    })
    .join(' ');
}
