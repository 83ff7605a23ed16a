/** JSON to read: the same colours as in the editor, without its weight. */
import type { ReactElement } from 'react';

const TOKENS =
  /("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/g;

export function JsonText({ text }: { readonly text: string }): ReactElement {
  const parts: ReactElement[] = [];
  let last = 0;
  for (const match of text.matchAll(TOKENS)) {
    const [whole, quoted, colon, word] = match;
    const kind =
      quoted !== undefined
        ? colon === undefined
          ? 'text'
          : 'name'
        : word === undefined
          ? 'number'
          : 'word';
    parts.push(
      <span key={last}>{text.slice(last, match.index)}</span>,
      <span key={match.index + 0.5} className={`json-${kind}`}>
        {whole}
      </span>,
    );
    last = match.index + whole.length;
  }
  return (
    <>
      {parts}
      {text.slice(last)}
    </>
  );
}
