import type { Clock } from './clock.js';
import { ignoreStoreError } from './errors.js';
import { isJsonObject } from './json.js';
import type { Json, JsonObject } from './json.js';

/** How far a job is: so many of so many. */
export interface ProgressRecord {
  readonly done: number;
  readonly total?: number;
  readonly message?: string;
}

export interface ProgressOptions {
  readonly clock: Clock;
  /** What stands on the job already. */
  readonly known: ProgressRecord | undefined;
  /** Hides what must not be stored. */
  readonly redact: (text: string) => string;
  write(patch: JsonObject): Promise<void>;
}

/** The shortest time between two writes. */
const WRITE_MS = 300;
const MAX_MESSAGE_LENGTH = 1000;

/** Writes how far a job is to its document, at most a few times a second. Never throws. */
export class Progress {
  readonly #options: ProgressOptions;
  #known: ProgressRecord | undefined;
  /** What is not written yet. */
  #pending: ProgressRecord | undefined;
  #cancelTimer: (() => void) | undefined;
  #lastWrite = -Infinity;
  #isReported = false;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#known = options.known;
  }

  /** What the work function says. */
  report(done: number, total?: number, message?: string): void {
    this.#isReported = true;
    this.#note(done, total, message);
  }

  /** How many of its children are over; it never goes back, and does not count where the work function says something. */
  childrenOver(done: number, total: number): void {
    const { known = { done: 0 } } = { known: this.#known };
    if (!this.#isReported && (done > known.done || known.total !== total))
      this.#note(Math.max(done, known.done), total);
  }

  /** Gives up what has not been written, for the caller to write. */
  take(): { progress?: JsonObject } {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const record = this.#pending;
    this.#pending = undefined;
    return record === undefined ? {} : { progress: { ...record } };
  }

  #note(done: number, total: number | undefined, message?: string): void {
    if (!Number.isFinite(done)) return;
    const { clock, redact } = this.#options;
    const record = {
      done,
      ...(total !== undefined && Number.isFinite(total) && { total }),
      ...(typeof message === 'string' && { message: redact(message).slice(0, MAX_MESSAGE_LENGTH) }),
    };
    this.#known = record;
    this.#pending = record;
    const wait = Math.max(0, this.#lastWrite + WRITE_MS - clock.monotonic());
    this.#cancelTimer ??= clock.setTimer(() => {
      this.#cancelTimer = undefined;
      this.#lastWrite = clock.monotonic();
      const patch = this.take();
      if (patch.progress !== undefined) this.#options.write(patch).catch(ignoreStoreError); // the next says more
    }, wait);
  }
}

/** What stands in a job's document, as far as it can be understood. */
export function progressOf(value: Json | undefined): ProgressRecord | undefined {
  if (!isJsonObject(value)) return undefined;
  const { done, total, message } = value;
  if (typeof done !== 'number') return undefined;
  return {
    done,
    ...(typeof total === 'number' && { total }),
    ...(typeof message === 'string' && { message }),
  };
}
