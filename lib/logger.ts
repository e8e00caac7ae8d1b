import type { Clock } from './clock.js';
import { StoreError, toError } from './errors.js';
import { isJsonObject, stringify, toJson } from './json.js';
import type { Json, JsonArray, JsonObject } from './json.js';
import type { OptionalLevel } from './options.js';

/** How long an update that nobody waits for may wait for others to be written with. */
const GATHER_MS = 100;
/** When updates are tried again that the store did not take. */
const RETRY_MS = 2000;
const MAX_META_BYTES = 256 * 1024;
/** How much is written at once, more or less: stores refuse what is too large. */
const MAX_WRITE_LENGTH = 2 * 1024 * 1024;
const MAX_STATUS_LENGTH = 1000;

export interface LoggerOptions {
  readonly clock: Clock;
  readonly logging: ReadonlySet<OptionalLevel>;
  /** Hides what must not be stored. */
  readonly redact: (text: string) => string;
  readonly onError: (error: Error) => void;
  /** The key of an update that comes before all of these. */
  readonly after?: string;
}

/** By key, as they stand in the job's document. */
type Updates = Record<string, Json>;

/**
 * Writes updates to a job's document while its work runs. Updates keep their order and are gathered into few writes. A
 * call never throws, and its promise never rejects; it need not be awaited, and resolves when the update is stored, or
 * was not taken.
 */
export class Logger {
  readonly #options: LoggerOptions;
  #gathered: Updates | undefined;
  #gatheredLength = 0;
  /** What was gathered before, and is enough for a write of its own. */
  readonly #full: Updates[] = [];
  #last: string;
  #writing: Promise<void> = Promise.resolve();
  #cancelTimer: (() => void) | undefined;
  #isOver = false;
  #write: ((updates: JsonObject) => Promise<void>) | undefined;

  /** @internal */
  constructor(options: LoggerOptions) {
    this.#options = options;
    this.#last = options.after ?? '';
  }

  info(status: string, meta?: unknown): Promise<void> {
    return this.#update(status, meta);
  }

  error(status: string, meta?: unknown): Promise<void> {
    return this.#update(status, meta);
  }

  /** Only with `debug` in OADA_JOBS_LOGGING. */
  debug(status: string, meta?: unknown): Promise<void> {
    return this.#options.logging.has('debug') ? this.#update(status, meta) : Promise.resolve();
  }

  /** Only with `trace` in OADA_JOBS_LOGGING. */
  trace(status: string, meta?: unknown): Promise<void> {
    return this.#options.logging.has('trace') ? this.#update(status, meta) : Promise.resolve();
  }

  /**
   * Where to write `{updates: …}` to; until then updates are only gathered.
   *
   * @internal
   */
  writeTo(write: (updates: JsonObject) => Promise<void>): void {
    this.#write = write;
  }

  /**
   * Gives up what has not been written, for the caller to write; with one update more where `status` is given.
   *
   * @internal
   */
  take(status?: string, meta?: unknown): { updates?: Updates } {
    if (status !== undefined) this.#add(status, meta);
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const updates = this.#gathered;
    this.#gathered = undefined;
    this.#gatheredLength = 0;
    return updates === undefined ? {} : { updates };
  }

  /**
   * The work is over. Resolves when nothing is being written; what is gathered for the last write stays for
   * {@link Logger.take}. From now on nothing is tried again by itself: the store may be closed for good.
   *
   * @internal
   */
  settled(): Promise<void> {
    this.#isOver = true;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    return this.#writeInTurn(() => this.#full.shift());
  }

  /**
   * Writes what is gathered, after what is being written.
   *
   * @internal
   */
  flush(): Promise<void> {
    return this.#writeInTurn(() => this.#full.shift() ?? this.take().updates);
  }

  #flushSoon(milliseconds: number): void {
    this.#cancelTimer ??= this.#options.clock.setTimer(() => {
      this.#cancelTimer = undefined;
      void this.flush();
    }, milliseconds);
  }

  #writeInTurn(next: () => Updates | undefined): Promise<void> {
    this.#writing = this.#writing.then(async () => {
      if (this.#write === undefined) return;
      for (let updates = next(); updates !== undefined; updates = next()) {
        try {
          await this.#write({ updates });
        } catch (error) {
          this.#options.onError(toError(error));
          if (!(error instanceof StoreError) || !error.retryable) continue; // it would not be taken later either
          this.#full.unshift(updates);
          if (!this.#isOver) this.#flushSoon(RETRY_MS);
          return;
        }
      }
    });
    return this.#writing;
  }

  #update(status: string, meta: unknown): Promise<void> {
    this.#add(status, meta);
    this.#flushSoon(GATHER_MS);
    return new Stored(() => this.flush());
  }

  #add(status: unknown, meta: unknown): void {
    const { clock, redact } = this.#options;
    const text = typeof status === 'string' ? status : (stringify(safeJson(status)) ?? 'undefined');
    const stored = meta === undefined ? undefined : safeJson(meta);
    const update = {
      status: redact(text).slice(0, MAX_STATUS_LENGTH),
      time: clock.now().toISOString(),
      ...(stored !== undefined && { meta: redactJson(stored, redact) }),
    };
    this.#gathered ??= {};
    this.#gathered[this.#nextKey()] = update;
    this.#gatheredLength += JSON.stringify(update).length;
    if (this.#gatheredLength < MAX_WRITE_LENGTH) return;
    this.#full.push(this.#gathered);
    this.#gathered = undefined;
    this.#gatheredLength = 0;
  }

  /** Keys made in one second sort by chance, so each is made to come after the last. */
  #nextKey(): string {
    const key = this.#options.clock.key();
    this.#last = key > this.#last ? key : increment(this.#last);
    return this.#last;
  }
}

/** Waiting for it is what sends the update off at once; left alone, the update goes with others. */
class Stored extends Promise<void> {
  readonly #send: () => Promise<void>;

  constructor(send: () => Promise<void>) {
    super((resolve) => {
      resolve();
    });
    this.#send = send;
  }

  /** What comes of it is an ordinary promise. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  /** What `await` calls. */
  override then<Result, Failure>(
    ...then: Parameters<typeof Promise.prototype.then<Result, Failure>>
  ): Promise<Result | Failure> {
    return this.#send().then(...then);
  }
}

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** The key that comes next, of the same length. */
function increment(key: string): string {
  const kept = key.replace(/z*$/, '');
  const digit = DIGITS[DIGITS.indexOf(kept.at(-1) ?? '') + 1] ?? '0';
  return (kept.slice(0, -1) + digit).padEnd(key.length, '0');
}

function safeJson(value: unknown): Json | undefined {
  try {
    if (value instanceof Error) return toJson({ name: value.name, message: value.message }, MAX_META_BYTES);
    return toJson(value, MAX_META_BYTES);
  } catch {
    return '[not stored: it is no JSON, or too large]'; // said in the update itself
  }
}

function redactJson(value: Json | undefined, redact: (text: string) => string): Json {
  if (typeof value === 'string') return redact(value);
  if (isJsonArray(value)) return value.map((item) => redactJson(item, redact));
  if (!isJsonObject(value)) return value ?? null;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]): [string, Json] => [redact(key), redactJson(item, redact)]),
  );
}

function isJsonArray(value: Json | undefined): value is JsonArray {
  return Array.isArray(value);
}
