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
  /** @returns false where the job is no longer ours */
  write(patch: JsonObject): Promise<boolean>;
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
  /** What the document's own has. */
  readonly #names: Set<string>;
  #cancelTimer: (() => void) | undefined;
  /** One at a time: an earlier one that took longer would take back what a later one says. */
  #writing: Promise<void> | undefined;
  #lastWrite = -Infinity;
  #isReported = false;
  #isOver = false;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#known = options.known;
    this.#names = new Set(Object.keys(options.known ?? {}));
  }

  /** What the work function says. */
  report(done: number, total?: number, message?: string): void {
    this.#isReported = true;
    this.#note(done, total, message);
  }

  /**
   * How many of its children are over. A parent that is run again counts from the first one on: what is said of it does
   * not go back for that. Does not count where the work function says something.
   */
  childrenOver(done: number, total: number): void {
    const { done: knownDone = 0, total: knownTotal = 0 } = this.#known ?? {};
    if (!this.#isReported && (done > knownDone || total > knownTotal))
      this.#note(Math.max(done, knownDone), Math.max(total, knownTotal));
  }

  /** The run is over: nothing more is taken. Resolves when nothing is being written. */
  async settled(): Promise<void> {
    this.#isOver = true;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    await this.#writing;
  }

  /** What is not written, for the caller to write. */
  take(): { progress?: JsonObject } {
    return this.#pending === undefined ? {} : { progress: this.#patchOf(this.#pending) };
  }

  #note(done: number, total: number | undefined, message?: string): void {
    if (!Number.isFinite(done) || this.#isOver) return;
    const { redact } = this.#options;
    const record = {
      done,
      ...(total !== undefined && Number.isFinite(total) && { total }),
      ...(typeof message === 'string' && { message: redact(message).slice(0, MAX_MESSAGE_LENGTH) }),
    };
    this.#known = record;
    this.#pending = record;
    this.#writeSoon();
  }

  #writeSoon(): void {
    if (this.#writing !== undefined || this.#isOver) return;
    const { clock } = this.#options;
    const wait = Math.max(0, this.#lastWrite + WRITE_MS - clock.monotonic());
    this.#cancelTimer ??= clock.setTimer(() => {
      this.#cancelTimer = undefined;
      this.#writing = this.#write();
    }, wait);
  }

  async #write(): Promise<void> {
    const { clock } = this.#options;
    const record = this.#pending;
    if (record === undefined) return;
    this.#lastWrite = clock.monotonic();
    const isOurs = await this.#options.write({ progress: this.#patchOf(record) }).catch(ignoreStoreError); // the next says more
    this.#writing = undefined;
    if (isOurs === false) this.#isOver = true;
    if (this.#pending !== record) this.#writeSoon();
    else if (isOurs === true) this.#pending = undefined;
  }

  /** A store merges: what is not said any more is taken back. */
  #patchOf(record: ProgressRecord): JsonObject {
    const gone = [...this.#names].map((name): [string, null] => [name, null]);
    for (const name of Object.keys(record)) this.#names.add(name);
    return { ...Object.fromEntries(gone), ...record };
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
