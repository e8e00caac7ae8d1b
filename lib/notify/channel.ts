import { backoff, setLimit, sleep, waitAtMost } from '../clock.js';
import type { Clock } from '../clock.js';
import type { FinalStatus } from '../paths.js';
import type { Message } from './notice.js';
import { DeliveryError } from './sender.js';
import type { Sender } from './sender.js';

/** How many messages wait; of the jobs after them only the number is told. */
const MAX_WAITING = 100;
const TRIES = 4;
/** How long one try may take. */
const STEP_MS = 10_000;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 10_000;
/** How long a stop waits for messages to be sent. */
const STOP_MS = 5000;

/** A message that waits, of a few words until its turn comes. */
interface Waiting {
  /** How many jobs it tells of. */
  readonly jobs: number;
  readonly compose: () => Promise<Message>;
}

export interface ChannelOptions {
  readonly service: string;
  readonly sender: Sender;
  readonly clock: Clock;
  /** So many jobs are not told of. */
  readonly onFailure: (error: Error, dropped: number) => void;
}

/**
 * Sends messages to one place, one after another, each with a few tries. When too many wait, the jobs that come then are
 * counted, and told of in one message after those. Nothing in it throws or rejects.
 */
export class Channel {
  readonly #options: ChannelOptions;
  readonly #waiting: Waiting[] = [];
  readonly #more: Record<FinalStatus, number> = { success: 0, failure: 0 };
  readonly #abort = new AbortController();
  #sending: Promise<void> | undefined;
  /** Jobs of a message that the stop came in between of. */
  #interrupted = 0;

  constructor(options: ChannelOptions) {
    this.#options = options;
  }

  add(status: FinalStatus, compose: Waiting['compose']): void {
    // Once there are too many, all that come are counted, so that their number is told some time.
    if (this.#counted > 0 || this.#waiting.length >= MAX_WAITING) this.#more[status]++;
    else this.#waiting.push({ jobs: 1, compose });
    this.#sending ??= this.#sendAll();
  }

  /** Waits a while for what is there to be sent; the rest is dropped, and its number told. */
  async stop(): Promise<void> {
    const { clock, sender, onFailure } = this.#options;
    if (this.#sending !== undefined) await waitAtMost(clock, STOP_MS, this.#sending);
    this.#abort.abort();
    await this.#sending; // at once: each step gives up
    const dropped = this.#interrupted + this.#waiting.length + this.#counted;
    if (dropped > 0) onFailure(new Error('The service stopped before all messages were sent'), dropped);
    sender.close();
  }

  get #counted(): number {
    return this.#more.success + this.#more.failure;
  }

  async #sendAll(): Promise<void> {
    for (let next = this.#next(); next !== undefined; next = this.#next()) await this.#deliver(next);
    this.#sending = undefined;
  }

  #next(): Waiting | undefined {
    if (this.#abort.signal.aborted) return undefined;
    const first = this.#waiting.shift();
    if (first !== undefined || this.#counted === 0) return first;
    const { service } = this.#options;
    const message: Message = { kind: 'gathered', service, ...this.#more };
    const jobs = this.#counted;
    Object.assign(this.#more, { success: 0, failure: 0 });
    return { jobs, compose: () => Promise.resolve(message) };
  }

  async #deliver({ jobs, compose }: Waiting): Promise<void> {
    try {
      const message = await this.#atMost(compose);
      await this.#insist(message);
    } catch (error) {
      if (this.#abort.signal.aborted) this.#interrupted += jobs;
      else this.#options.onFailure(toTold(error), jobs);
    }
  }

  async #insist(message: Message): Promise<void> {
    const { sender, clock } = this.#options;
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#atMost((signal) => sender.send(message, signal));
        return;
      } catch (error) {
        if (!(error instanceof DeliveryError) || !error.mayPass || attempt === TRIES) throw error;
        const wait = backoff(clock, attempt, FIRST_WAIT_MS, LONGEST_WAIT_MS);
        await sleep(clock, Math.max(wait, error.retryAfter), this.#abort.signal);
        this.#abort.signal.throwIfAborted();
      }
    }
  }

  /** Rejects when the work takes too long or the channel is stopped, whether or not the work heeds its signal. */
  async #atMost<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const control = new AbortController();
    const stopped = (): void => {
      control.abort(new DeliveryError('The service stopped', { mayPass: false }));
    };
    const cancelTimer = setLimit(
      this.#options.clock,
      () => {
        const message = `There was no answer within ${String(STEP_MS)} ms`;
        control.abort(new DeliveryError(message, { mayPass: true }));
      },
      STEP_MS,
    );
    this.#abort.signal.addEventListener('abort', stopped, { once: true });
    const over = new Promise<never>((_resolve, reject) => {
      control.signal.addEventListener('abort', () => {
        reject(control.signal.reason);
      });
    });
    try {
      return await Promise.race([work(control.signal), over]);
    } finally {
      cancelTimer();
      this.#abort.signal.removeEventListener('abort', stopped);
    }
  }
}

/** What was not foreseen is not shown: it may hold a secret. */
function toTold(thrown: unknown): Error {
  return thrown instanceof DeliveryError
    ? thrown
    : new Error('The message could not be made: there is a fault in this library');
}
