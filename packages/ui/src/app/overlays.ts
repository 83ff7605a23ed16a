/** Which overlay is open: at most one; opened from anywhere, drawn by the shell. */
import { createStore } from '../live/store.ts';

export type ServiceActionKind = 'scale' | 'restart' | 'suspend' | 'resume' | 'delete';

export type Overlay =
  | { readonly kind: 'palette' }
  | { readonly kind: 'help' }
  | { readonly kind: 'service'; readonly action: ServiceActionKind; readonly appId: string }
  | {
      readonly kind: 'kill';
      readonly appId: string;
      readonly taskIds: readonly string[];
      readonly scale: boolean;
    }
  | { readonly kind: 'rollback'; readonly deploymentId: string; readonly force: boolean };

export const overlay = createStore<Overlay | undefined>(undefined);

export function openOverlay(next: Overlay): void {
  overlay.set(next);
}

export function closeOverlay(): void {
  overlay.set(undefined);
}
