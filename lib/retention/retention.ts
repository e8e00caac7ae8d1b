import { backoff, sleep, waitAtMost } from '../clock.js';
import type { Clock } from '../clock.js';
import { toError } from '../errors.js';
import type { Events } from '../events.js';
import type { Store } from '../oada/store.js';
import { redactedError } from '../outcome.js';
import type { Paths } from '../paths.js';
import { hideSecrets } from '../secrets.js';
import type { ResolvedRetention } from './policy.js';
import { pruneJobs } from './prune.js';

export interface RetentionDeps {
  readonly queue: string;
  readonly store: Store;
  readonly paths: Paths;
  readonly clock: Clock;
  readonly events: Events;
  readonly retention: ResolvedRetention;
  /** Texts that must not be told. */
  readonly secrets: ReadonlySet<string>;
}

/** A service that has just started has better things to do. */
const FIRST_WAIT_MS = 120_000;
const INTERVAL_MS = 3_600_000;
const FIRST_RETRY_MS = 60_000;
/** How long a stop waits for requests that are on their way. */
const LAST_REQUESTS_MS = 5000;

/**
 * Prunes the finished jobs of a queue, about once an hour. Several instances may do it at the same time: that is wasted
 * effort, and does no harm. Their times differ by chance, so that it is rare.
 */
export class Retention {
  readonly #deps: RetentionDeps;
  readonly #ending = new AbortController();
  readonly #counts = new Map<string, number>();
  #over: Promise<void> | undefined;

  constructor(deps: RetentionDeps) {
    this.#deps = deps;
  }

  /** The first time is a few minutes from now. */
  start(): void {
    this.#over ??= this.#run();
  }

  /** Deletes no more. Resolves when the last requests are over; can be called more than once, and before `start()`. */
  async stop(): Promise<void> {
    this.#ending.abort();
    if (this.#over !== undefined) await waitAtMost(this.#deps.clock, LAST_REQUESTS_MS, this.#over);
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    const { clock } = this.#deps;
    const { signal } = this.#ending;
    await sleep(clock, FIRST_WAIT_MS * (0.5 + clock.random()), signal);
    for (let failures = 0; !signal.aborted;) {
      let wait = INTERVAL_MS * (0.75 + 0.5 * clock.random());
      const error = await this.#prune();
      if (error === undefined) failures = 0;
      else {
        wait = backoff(clock, ++failures, FIRST_RETRY_MS, INTERVAL_MS);
        this.#tell(error, wait);
      }
      await sleep(clock, wait, signal);
    }
  }

  /** @returns what went wrong */
  async #prune(): Promise<Error | undefined> {
    const { queue, store, paths, clock, events, retention } = this.#deps;
    try {
      await pruneJobs(store, paths, {
        ...{ clock, retention, signal: this.#ending.signal, counts: this.#counts },
        onStep: (step) => {
          events.emit('jobs:pruned', { queue, ...step });
        },
      });
      return undefined;
    } catch (thrown) {
      return toError(thrown);
    }
  }

  #tell(error: Error, retryIn: number): void {
    const { queue, events, secrets } = this.#deps;
    if (this.#ending.signal.aborted) return; // a store that is closed, say
    const redacted = redactedError(error, (text) => hideSecrets(text, secrets));
    events.emit('prune:failed', { queue, error: redacted, retryIn });
  }
}
