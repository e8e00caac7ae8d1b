import { isJsonObject, stringify } from './json.js';
import type { JsonObject } from './json.js';
import type { OptionalLevel } from './options.js';
import type { Update, UpdateWriter } from './update-writer.js';

/** Said in the update itself. */
const NOT_STORED = '[not stored: it is no JSON, or too large]';

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace';

export interface LoggerOptions {
  readonly updates: UpdateWriter;
  readonly logging: ReadonlySet<OptionalLevel>;
  /** Told of each call, whatever its level. */
  readonly onLog: (level: LogLevel, update: Update) => void;
}

/**
 * Given to work functions: each call writes an update to the job's document. It can be called in two ways,
 * `log.info('status', meta)` and, as pino is, `log.info(meta, 'status')`. A call never throws, and its promise never
 * rejects; it need not be awaited, and resolves when the update is stored, or was not taken. Updates keep their order.
 */
export class Logger {
  readonly #options: LoggerOptions;
  readonly #bindings: JsonObject;

  private constructor(options: LoggerOptions, bindings: JsonObject = {}) {
    this.#options = options;
    this.#bindings = bindings;
  }

  /** @internal */
  static create(options: LoggerOptions, bindings: JsonObject = {}): Logger {
    return new Logger(options, bindings);
  }

  fatal(status: unknown, meta?: unknown): Promise<void> {
    return this.#log('fatal', status, meta);
  }

  error(status: unknown, meta?: unknown): Promise<void> {
    return this.#log('error', status, meta);
  }

  warn(status: unknown, meta?: unknown): Promise<void> {
    return this.#log('warn', status, meta);
  }

  info(status: unknown, meta?: unknown): Promise<void> {
    return this.#log('info', status, meta);
  }

  /** Only with `debug` in OADA_JOBS_LOGGING. */
  debug(status: unknown, meta?: unknown): Promise<void> {
    return this.#log('debug', status, meta);
  }

  /** Only with `trace` in OADA_JOBS_LOGGING. */
  trace(status: unknown, meta?: unknown): Promise<void> {
    return this.#log('trace', status, meta);
  }

  /** One that adds these to the `meta` of each update, where that is an object or absent. */
  child(bindings: object): Logger {
    try {
      return new Logger(this.#options, { ...this.#bindings, ...bindings });
    } catch {
      return this; // a getter that throws
    }
  }

  #log(level: LogLevel, first: unknown, second: unknown): Promise<void> {
    const { updates, logging, onLog } = this.#options;
    const update = this.#make(first, second);
    onLog(level, update);
    if ((level === 'debug' || level === 'trace') && !logging.has(level)) return Promise.resolve();
    return updates.write(update);
  }

  /** Anything may be logged: what throws when it is looked at, too. */
  #make(first: unknown, second: unknown): Update {
    const { updates } = this.#options;
    try {
      const [status, own] = toUpdate(first, second);
      return updates.make(status, this.#withBindings(own));
    } catch {
      return updates.make(NOT_STORED, undefined);
    }
  }

  #withBindings(meta: unknown): unknown {
    if (Object.keys(this.#bindings).length === 0) return meta;
    if (meta === undefined) return this.#bindings;
    return isJsonObject(meta) && !(meta instanceof Error) ? { ...this.#bindings, ...meta } : meta;
  }
}

/** What is logged, whichever of the two ways it was called. */
function toUpdate(first: unknown, second: unknown): [status: string, meta: unknown] {
  if (typeof first === 'string') return [first, second];
  if (typeof second === 'string' && typeof first === 'object' && first !== null) return [second, first];
  if (first instanceof Error) return [textOf(first.message), first];
  return [textOf(first), second];
}

function textOf(value: unknown): string {
  try {
    return typeof value === 'string' ? value : (stringify(value) ?? 'undefined');
  } catch {
    return NOT_STORED;
  }
}
