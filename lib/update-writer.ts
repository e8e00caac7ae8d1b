import type { Clock } from './clock.js';
import { StoreError, toError } from './errors.js';
import { isJsonObject, toJson } from './json.js';
import type { Json, JsonObject } from './json.js';
import { successor } from './key.js';
import { redactJson } from './secrets.js';

/** How long an update that nobody waits for may wait for others to be written with. */
const GATHER_MS = 100;
/** When updates are tried again that the store did not take. */
const RETRY_MS = 2000;
const MAX_META_BYTES = 256 * 1024;
/** How much is written at once, more or less: stores refuse what is too large. */
const MAX_WRITE_LENGTH = 2 * 1024 * 1024;
const MAX_STATUS_LENGTH = 1000;
/** Of an update's key, its time and the names. */
const AROUND_LENGTH = 100;
const MAX_DEPTH = 100;
/** Said in the update itself. */
const NOT_STORED = '[not stored: it is no JSON, or too large]';

export interface UpdateWriterOptions {
  readonly clock: Clock;
  /** Hides what must not be stored. */
  readonly redact: (text: string) => string;
  readonly onError: (error: Error) => void;
  /** The key of an update that comes before all of these. */
  readonly after?: string;
}

export interface Update {
  readonly status: string;
  /** ISO 8601, in UTC. */
  readonly time: string;
  readonly meta?: Json;
}

/** By key, as they stand in the job's document. */
type Updates = Record<string, Json>;

/**
 * Writes updates to a job's document while its work runs. Updates keep their order and are gathered into few writes. No
 * call throws, and no promise rejects.
 */
export class UpdateWriter {
  readonly #options: UpdateWriterOptions;
  #gathered: Updates | undefined;
  #gatheredLength = 0;
  /** What was gathered before, and is enough for a write of its own. */
  readonly #full: Updates[] = [];
  #last: string;
  #writing: Promise<void> = Promise.resolve();
  #cancelTimer: (() => void) | undefined;
  #isOver = false;
  #write: ((updates: JsonObject) => Promise<void>) | undefined;

  constructor(options: UpdateWriterOptions) {
    this.#options = options;
    this.#last = options.after ?? '';
  }

  /** An update as it is stored: what must not be is hidden in it. */
  make(status: string, meta: unknown): Update {
    const { clock, redact } = this.#options;
    const stored = meta === undefined ? undefined : safeJson(meta, redact);
    return {
      status: redact(status).slice(0, MAX_STATUS_LENGTH),
      time: clock.now().toISOString(),
      ...(stored !== undefined && { meta: stored }),
    };
  }

  /** The promise need not be awaited; it resolves when the update is stored, or was not taken. */
  write(update: Update): Promise<void> {
    this.#add(update);
    this.#flushSoon(GATHER_MS);
    return new Stored(() => this.flush());
  }

  /** Where to write `{updates: …}` to; until then updates are only gathered. */
  writeTo(write: (updates: JsonObject) => Promise<void>): void {
    this.#write = write;
  }

  /** Gives up what has not been written, for the caller to write; with one update more where `status` is given. */
  take(status?: string, meta?: unknown): { updates?: Updates } {
    if (status !== undefined) this.#add(this.make(status, meta));
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const updates = this.#gathered;
    this.#gathered = undefined;
    this.#gatheredLength = 0;
    return updates === undefined ? {} : { updates };
  }

  /**
   * The work is over. Resolves when nothing is being written; what is gathered for the last write stays for
   * {@link UpdateWriter.take}. From now on nothing is tried again by itself: the store may be closed for good.
   */
  settled(): Promise<void> {
    this.#isOver = true;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    return this.#writeInTurn(() => this.#full.shift());
  }

  /** Writes what is gathered, after what is being written. */
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

  #add(update: Update): void {
    this.#gathered ??= {};
    this.#gathered[this.#nextKey()] = { ...update };
    this.#gatheredLength += lengthOf(update);
    if (this.#gatheredLength < MAX_WRITE_LENGTH) return;
    this.#full.push(this.#gathered);
    this.#gathered = undefined;
    this.#gatheredLength = 0;
  }

  /** Keys made in one second sort by chance, so each is made to come after the last. */
  #nextKey(): string {
    const key = this.#options.clock.key();
    this.#last = key > this.#last ? key : successor(this.#last);
    return this.#last;
  }
}

/** About how long it is as JSON. */
function lengthOf({ status, meta }: Update): number {
  const ofMeta = typeof meta === 'object' ? JSON.stringify(meta).length : String(meta).length;
  return status.length + ofMeta + AROUND_LENGTH;
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

function safeJson(value: unknown, redact: (text: string) => string): Json | undefined {
  try {
    const json = toJson(withErrors(value), MAX_META_BYTES);
    if (json === undefined) return undefined;
    return isDeeperThan(MAX_DEPTH, json) ? NOT_STORED : redactJson(json, redact);
  } catch {
    return NOT_STORED;
  }
}

/** Stores refuse what is nested too deep, and with it all that is written together. */
function isDeeperThan(depth: number, value: Json | undefined): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return (
    depth === 0 || Object.values(value).some((inner: Json | undefined) => isDeeperThan(depth - 1, inner))
  );
}

/** JSON has no word for errors, be it the value itself or, as loggers have it, a field of it. */
function withErrors(value: unknown): unknown {
  if (value instanceof Error) return { name: value.name, message: value.message };
  if (!isJsonObject(value) || !Object.values(value).some((field: unknown) => field instanceof Error))
    return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, field]: [string, unknown]) => [
      key,
      field instanceof Error ? withErrors(field) : field,
    ]),
  );
}
