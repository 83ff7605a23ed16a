/** Short notes about what was done or refused; announced to screen readers, gone after a while. */
import type { ReactElement } from 'react';
import { Button } from '../components/button.tsx';
import { createStore, useStore } from '../live/store.ts';

interface Toast {
  readonly id: number;
  readonly tone: 'good' | 'bad';
  readonly text: string;
}

const GOOD_VISIBLE_MS = 4_000;
const BAD_VISIBLE_MS = 10_000;
const TOASTS_MAX = 4;

const toasts = createStore<readonly Toast[]>([]);
let lastId = 0;

export function showToast(tone: 'good' | 'bad', text: string): void {
  lastId += 1;
  const id = lastId;
  toasts.set([...toasts.get(), { id, tone, text }].slice(-TOASTS_MAX));
  setTimeout(() => dismiss(id), tone === 'good' ? GOOD_VISIBLE_MS : BAD_VISIBLE_MS);
}

function dismiss(id: number): void {
  toasts.set(toasts.get().filter((toast) => toast.id !== id));
}

export function Toasts(): ReactElement {
  const shown = useStore(toasts);
  return (
    <div className="toasts" role="status" aria-live="polite">
      {shown.map((toast) => (
        <div key={toast.id} className="toast" data-tone={toast.tone}>
          <p>{toast.text}</p>
          <Button
            icon="close"
            label="Dismiss"
            variant="ghost"
            size="small"
            onPress={() => dismiss(toast.id)}
          />
        </div>
      ))}
    </div>
  );
}
