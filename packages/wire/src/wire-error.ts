/**
 * What is wrong with bytes or JSON from outside. The text names the place, since a client's author
 * reads it in the body of a 400.
 */

export class WireError extends Error {
  override readonly name = 'WireError';
  /** Path of the field, such as `call.accept.operations[0].type`; empty for the whole message. */
  readonly path: string;

  constructor(path: string, problem: string) {
    super(path === '' ? problem : `${path}: ${problem}`);
    this.path = path;
  }
}
