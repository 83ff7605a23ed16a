/**
 * The engine as routes see it. There is none until this scheduler leads, nor once it gives the leadership up: standbys
 * pass requests on before they come to a route, so that the refusal here is for the moments in between.
 */

import type { Command, MarathonState, Reply } from '../core/index.ts';
import type { Engine } from './engine.ts';
import { Answer, notTaken } from './request.ts';

export type EngineReads = Pick<Engine, 'read' | 'command'>;

export class LeadingEngine implements EngineReads {
  #engine: Engine | undefined;

  lead(engine: Engine): void {
    this.#engine = engine;
  }

  /** From now on requests are passed on, as by one that never led. */
  follow(): void {
    this.#engine = undefined;
  }

  /** Whether there is an engine to ask. */
  get leads(): boolean {
    return this.#engine !== undefined;
  }

  async read<T>(view: (state: MarathonState) => T): Promise<T> {
    return await this.#led().read(view);
  }

  async command(command: Command): Promise<Reply> {
    return await this.#led().command(command);
  }

  /** As of the last event; undefined as long as no master has given one. */
  get frameworkId(): string | undefined {
    return this.#engine?.frameworkId;
  }

  #led(): Engine {
    if (this.#engine !== undefined) return this.#engine;
    throw new Answer(notTaken('the leadership has not been settled yet'));
  }
}
