/** What the deployment views show: progress, what happens now, and what undoing it would mean. Pure. */
import type { Deployment, DeploymentAction } from '../api/types.ts';

const ACTION_WORDS: Readonly<Record<string, string>> = {
  StartApplication: 'Create',
  StopApplication: 'Delete',
  ScaleApplication: 'Scale',
  RestartApplication: 'Restart with new configuration',
  StartPod: 'Create pod',
  StopPod: 'Delete pod',
  ScalePod: 'Scale pod',
  RestartPod: 'Restart pod',
};

export function actionLabel(action: string): string {
  return ACTION_WORDS[action] ?? action;
}

export function actionTarget(action: DeploymentAction): string {
  return action.app ?? action.pod ?? '';
}

/** Finished steps as a share of all, 0 to 100. */
export function progressPercent(deployment: Deployment): number {
  if (deployment.totalSteps <= 0) return 100;
  return ((Math.max(1, deployment.currentStep) - 1) / deployment.totalSteps) * 100;
}

export type StepState = 'done' | 'current' | 'ahead';

export function stepState(deployment: Deployment, index: number): StepState {
  const current = Math.max(1, deployment.currentStep) - 1;
  if (index < current) return 'done';
  return index === current ? 'current' : 'ahead';
}

/** Rolling back a deployment that creates an app deletes that app: the dialog must say so. */
export function rollbackEffect(deployment: Deployment): { readonly deletes: readonly string[] } {
  const actions = deployment.steps.flatMap((step) => step.actions);
  const started = actions.filter((action) => action.action === 'StartApplication');
  return { deletes: [...new Set(started.map(actionTarget))] };
}
