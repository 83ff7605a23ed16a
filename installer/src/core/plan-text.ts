/** Plans and states as people read them. */

import { unreachable } from '@dcos/base';
import type { Step } from './plan.ts';

/** One line for a step, without its host. */
export function stepText(step: Step): string {
  switch (step.kind) {
    case 'packages':
      return `install packages ${step.names.join(', ')}`;
    case 'release':
      return `push release ${step.hash.slice(0, 12)}`;
    case 'configuration': {
      const parts = [
        ...(step.files.length > 0 ? [`write ${counted(step.files.length, 'file')}`] : []),
        ...(step.removed.length > 0 ? [`remove ${counted(step.removed.length, 'file')}`] : []),
        ...(step.activate === undefined ? [] : [`use release ${step.activate.slice(0, 12)}`]),
      ];
      return parts.join(', ');
    }
    case 'unit':
      return `${step.action} ${step.unit.name}`;
    case 'stop':
      return `stop ${step.unit}`;
    default:
      return unreachable(step);
  }
}

/** What a step touches, a line each; empty where its own line says it all. */
export function stepDetails(step: Step): readonly string[] {
  if (step.kind !== 'configuration') return [];
  return [...step.files.map(({ path }) => `~ ${path}`), ...step.removed.map((path) => `- ${path}`)];
}

export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
