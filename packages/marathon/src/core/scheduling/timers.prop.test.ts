import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Timers } from './timers.ts';

test('deadlines come in order, one for each key, and never after they were withdrawn', () => {
  const action = fc.record({
    kind: fc.constantFrom('set' as const, 'cancel' as const),
    id: fc.constantFrom('a', 'b', 'c', 'd'),
    at: fc.nat(50),
  });
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      const timers = new Timers();
      const model = new Map<string, number>();
      for (const { kind, id, at } of actions) {
        if (kind === 'set') {
          timers.set({ kind: 'kill', id }, at);
          model.set(id, at);
        } else {
          timers.cancel({ kind: 'kill', id });
          model.delete(id);
        }
      }
      let last = 0;
      while (model.size > 0) {
        const next = timers.next();
        expect(next).toBe(Math.min(...model.values()));
        if (next === undefined) return;
        expect(timers.takeDue(next - 1)).toBeUndefined();
        const key = timers.takeDue(next);
        expect(model.get(key?.id ?? '')).toBe(next);
        expect(next).toBeGreaterThanOrEqual(last);
        last = next;
        model.delete(key?.id ?? '');
      }
      expect(timers.next()).toBeUndefined();
    }),
  );
});
