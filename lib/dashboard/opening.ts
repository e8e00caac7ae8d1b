import { backoff, sleep } from '../clock.js';
import type { Clock } from '../clock.js';
import { isMissing, StoreError, toError } from '../errors.js';

export interface OpeningOptions {
  readonly clock: Clock;
  /** Is not called again once it has succeeded. */
  readonly open: () => Promise<void>;
  /** It is not there; it is looked for again now and then, and when somebody says so. */
  readonly onMissing: () => void;
  /** It is tried again in `retryIn` ms. */
  readonly onFailed: (error: Error, retryIn: number) => void;
}

const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 15_000;
/** Between two looks that are asked for, longer and longer. */
const FIRST_LOOK_MS = 100;
const LONGEST_LOOK_MS = 2000;
const LOOK_MS = 30_000;

/** Opens what may not be there yet, or not be answered for at the moment. */
export class Opening {
  /** Resolves when it is open, or known not to be there, or not to be had: not while the store is away. */
  readonly tried: Promise<void>;
  readonly #options: OpeningOptions;
  readonly #stopping = new AbortController();
  #wake = new AbortController();
  #isAsked = false;
  #tried: () => void = () => undefined;

  constructor(options: OpeningOptions) {
    this.#options = options;
    this.tried = new Promise((resolve) => {
      this.#tried = resolve;
    });
    void this.#run();
  }

  /** It may be there now. */
  look(): void {
    this.#isAsked = true;
    this.#wake.abort();
  }

  stop(): void {
    this.#stopping.abort();
    this.#wake.abort();
    this.#tried();
  }

  #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #run(): Promise<void> {
    await Promise.resolve(); // whoever opens something has to have it in hand first
    let failures = 0;
    let misses = 0;
    while (!this.#isStopping()) {
      this.#isAsked = false;
      try {
        await this.#options.open();
        break;
      } catch (thrown) {
        if (this.#isStopping()) break;
        const error = toError(thrown);
        if (!(error instanceof StoreError && error.retryable)) this.#tried();
        const isAbsent = isMissing(error);
        failures = isAbsent ? 0 : failures + 1;
        misses = isAbsent ? misses + 1 : 0;
        await (isAbsent ? this.#missing(misses) : this.#failed(error, failures));
      }
    }
    this.#tried();
  }

  async #missing(misses: number): Promise<void> {
    const { clock, onMissing } = this.#options;
    onMissing();
    await sleep(clock, backoff(clock, misses, FIRST_LOOK_MS, LONGEST_LOOK_MS), this.#stopping.signal);
    if (this.#isAsked) return;
    this.#wake = new AbortController();
    await sleep(clock, LOOK_MS, AbortSignal.any([this.#wake.signal, this.#stopping.signal]));
  }

  async #failed(error: Error, failures: number): Promise<void> {
    const { clock, onFailed } = this.#options;
    const retryIn = backoff(clock, failures, FIRST_WAIT_MS, LONGEST_WAIT_MS);
    onFailed(error, retryIn);
    await sleep(clock, retryIn, this.#stopping.signal);
  }
}
