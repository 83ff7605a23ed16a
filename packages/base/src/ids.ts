/**
 * Branded identifiers. An id is parsed once at the border and carried with its type from there, so that
 * an agent id can never be handed to something that asks for a task id.
 */

declare const brand: unique symbol;

/** A string that is known to be of one kind. */
export type Id<Kind extends string> = string & { readonly [brand]: Kind };

export type AgentId = Id<'agent'>;
export type FrameworkId = Id<'framework'>;
export type TaskId = Id<'task'>;
export type ExecutorId = Id<'executor'>;
export type OfferId = Id<'offer'>;
export type ContainerId = Id<'container'>;
export type MasterId = Id<'master'>;

/** Bytes that an id chosen by a framework may have at most; the original's limit. */
export const ID_BYTES_MAX = 255;

/**
 * Says what is wrong with an id that a client chose, or undefined when nothing is.
 * Rules of the original: not empty, at most 255 characters, not `.` or `..`, no control characters,
 * no `/` and no `\`, since ids become names of directories.
 */
export function idProblem(value: string): string | undefined {
  if (value === '') return 'ID must not be empty';
  if (value.length > ID_BYTES_MAX) return `ID must not be greater than ${ID_BYTES_MAX} characters`;
  if (value === '.') return "'.' is disallowed";
  if (value === '..') return "'..' is disallowed";
  for (const character of value) {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x20 || code === 0x7f || character === '/' || character === '\\') {
      return `'${value}' contains invalid characters`;
    }
  }
  return undefined;
}

export const agentId = (value: string): AgentId => value as AgentId;
export const frameworkId = (value: string): FrameworkId => value as FrameworkId;
export const taskId = (value: string): TaskId => value as TaskId;
export const executorId = (value: string): ExecutorId => value as ExecutorId;
export const offerId = (value: string): OfferId => value as OfferId;
export const containerId = (value: string): ContainerId => value as ContainerId;
export const masterId = (value: string): MasterId => value as MasterId;
