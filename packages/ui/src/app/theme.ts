/** Dark or light: follows the system unless the reader chose. The choice stays in the browser. */
import { createStore } from '../live/store.ts';

export type ThemeChoice = 'system' | 'light' | 'dark';

const STORAGE_KEY = 'dcos.theme';

export const themeChoice = createStore<ThemeChoice>(readChoice());
/** The theme that is shown. */
export const theme = createStore<'light' | 'dark'>(resolve(themeChoice.get()));

/** Follows the system's setting; call once. */
export function startTheme(): void {
  apply();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', apply);
}

export function chooseTheme(choice: ThemeChoice): void {
  themeChoice.set(choice);
  try {
    localStorage.setItem(STORAGE_KEY, choice);
  } catch {
    // Without storage the choice lasts until the page is closed.
  }
  apply();
}

/** The next choice: system, then the two explicit ones. */
export function nextTheme(): void {
  const order: readonly ThemeChoice[] = ['system', 'light', 'dark'];
  const next = order[(order.indexOf(themeChoice.get()) + 1) % order.length] ?? 'system';
  chooseTheme(next);
}

function apply(): void {
  const shown = resolve(themeChoice.get());
  document.documentElement.dataset['theme'] = shown;
  theme.set(shown);
}

function resolve(choice: ThemeChoice): 'light' | 'dark' {
  if (choice !== 'system') return choice;
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}

function readChoice(): ThemeChoice {
  try {
    const stored = localStorage.getItem(STORAGE_KEY);
    return stored === 'light' || stored === 'dark' ? stored : 'system';
  } catch {
    return 'system';
  }
}
