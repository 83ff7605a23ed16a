/** A wish that cannot be fulfilled by changing what is there. */
export interface PlanProblem {
  /** The key in the configuration that asks for it. */
  readonly key: string;
  readonly message: string;
  readonly remedy: string;
}
