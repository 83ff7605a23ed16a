/**
 * The structured logger of all processes: pino behind the `Logger` port. `error` means that a person must
 * look, `warn` that something degraded and heals itself, `info` a change of state, `debug` message flow.
 */

import { destination, pino, type Logger as PinoLogger } from 'pino';
import type { LogFields, Logger } from '@dcos/base';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface LoggerOptions {
  /** Name of the component; stands in every line. */
  readonly name: string;
  readonly level: LogLevel;
  /** A path, or the standard error stream when absent. */
  readonly file?: string;
}

/** Makes a logger that writes JSON lines; the file's folder is made when it is absent. */
export function createLogger(options: LoggerOptions): Logger {
  const sink =
    options.file === undefined
      ? destination({ dest: 2, sync: true })
      : destination({ dest: options.file, sync: true, mkdir: true, append: true });
  return wrap(
    pino({ name: options.name, level: options.level, base: { name: options.name } }, sink),
  );
}

function wrap(logger: PinoLogger): Logger {
  return {
    debug: (fields: LogFields, message: string) => logger.debug(fields, message),
    info: (fields: LogFields, message: string) => logger.info(fields, message),
    warn: (fields: LogFields, message: string) => logger.warn(fields, message),
    error: (fields: LogFields, message: string) => logger.error(fields, message),
    child: (fields: LogFields) => wrap(logger.child(fields)),
  };
}
