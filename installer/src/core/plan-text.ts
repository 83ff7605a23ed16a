/** Plans and states as people read them. */

import { unreachable } from '@dcos/base';
import type { Step } from './plan.ts';

/** One line for a step, without its host. */
export function stepText(step: Step): string {
  switch (step.kind) {
    case 'packages':
      return `install packages ${step.names.join(', ')}`;
    case 'release':
      return `push release ${shortHash(step.hash)}`;
    case 'configuration': {
      const parts = [
        ...(step.files.length > 0 ? [`write ${counted(step.files.length, 'file')}`] : []),
        ...(step.removed.length > 0 ? [`remove ${counted(step.removed.length, 'file')}`] : []),
        ...(step.activate === undefined ? [] : [`use release ${shortHash(step.activate)}`]),
      ];
      return parts.join(', ');
    }
    case 'unit':
      return `${step.action} ${step.unit.name}`;
    case 'stop':
      return `stop ${step.unit}`;
    case 'tidy':
      return `remove ${counted(step.releases.length, 'old release')}`;
    case 'back':
      return `go back to release ${shortHash(step.release)}`;
    case 'gate':
      return `the cluster is whole after ${step.watched.join(', ')}`;
    default:
      return unreachable(step);
  }
}

/** What a step touches, a line each; empty where its own line says it all. */
export function stepDetails(step: Step): readonly string[] {
  if (step.kind !== 'configuration') return [];
  return [...step.files.map(({ path }) => `~ ${path}`), ...step.removed.map((path) => `- ${path}`)];
}

/** A release as people tell it from others. */
export function shortHash(hash = 'none'): string {
  return hash.slice(0, 12);
}

export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
