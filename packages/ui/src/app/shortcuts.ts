/** Keyboard shortcuts of the whole console; single keys rest while a control has the focus. */
import { isTyping } from '../components/data-table.tsx';
import { overlay } from './overlays.ts';

export interface Shortcut {
  /** `g d` is a sequence, `mod+k` Ctrl or Cmd. */
  readonly keys: string;
  readonly label: string;
  readonly run: () => void;
}

/** Keys of a sequence must follow each other within this time, in milliseconds. */
const SEQUENCE_MS = 1_000;

/** @returns a function that stops listening. */
export function listenForShortcuts(shortcuts: readonly Shortcut[]): () => void {
  let before: { readonly key: string; readonly atMs: number } | undefined;
  const onKey = (event: KeyboardEvent): void => {
    const pressed = keyOf(event);
    const isChord = pressed.startsWith('mod+');
    // A dialog that is open, or still being drawn, is what the keys are for.
    const isElsewhere = isTyping(event) || event.altKey || overlay.get() !== undefined;
    if (!isChord && isElsewhere) return;
    const now = event.timeStamp;
    const sequence =
      before !== undefined && now - before.atMs < SEQUENCE_MS
        ? `${before.key} ${pressed}`
        : pressed;
    const found =
      shortcuts.find((shortcut) => shortcut.keys === sequence) ??
      shortcuts.find((shortcut) => shortcut.keys === pressed);
    before = { key: pressed, atMs: now };
    if (found === undefined) return;
    before = undefined;
    event.preventDefault();
    found.run();
  };
  document.addEventListener('keydown', onKey);
  return () => document.removeEventListener('keydown', onKey);
}

function keyOf(event: KeyboardEvent): string {
  const modifier = event.ctrlKey || event.metaKey ? 'mod+' : '';
  return `${modifier}${event.key.length === 1 ? event.key.toLowerCase() : event.key}`;
}
