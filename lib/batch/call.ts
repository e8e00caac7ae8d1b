import { cancel } from '../cancelling.js';
import { untilOver, waitAtMost } from '../clock.js';
import type { Clock } from '../clock.js';
import { JobCancelledError, JobTimeoutError } from '../errors.js';
import type { BatchFunction, BatchJob } from './batch-function.js';
import { partsOf } from './parts.js';

/** A job that takes part in a batch. */
export interface Member<Config extends object> {
  /** What the function is given of it. */
  readonly given: BatchJob<Config>;
  /** Of the signal that the function is given. */
  readonly control: AbortController;
  resolve(value: unknown): void;
  reject(reason: unknown): void;
}

export interface CallDeps {
  readonly clock: Clock;
  /** How long the function may take, in milliseconds. */
  readonly timeout: number;
  /** How long it is waited for when nobody wants its results any more, in milliseconds. */
  readonly grace: number;
}

/** One call of the function that does a batch. */
export class BatchCall<Config extends object> {
  readonly #members: readonly Member<Config>[];
  /** Those that have not been told to end. */
  readonly #active: Set<Member<Config>>;
  readonly #deps: CallDeps & { readonly work: BatchFunction<Config> };
  /** Aborted when there is nothing to be waited for any more: the function is done, or none of its jobs is left. */
  readonly #done = new AbortController();
  #returned: unknown;
  #timeout: JobTimeoutError | undefined;

  constructor(members: readonly Member<Config>[], deps: CallDeps & { readonly work: BatchFunction<Config> }) {
    this.#members = members;
    this.#active = new Set(members);
    this.#deps = deps;
  }

  /** How many of its jobs are left. */
  get size(): number {
    return this.#active.size;
  }

  /** Resolves when the function has ended, or has been waited for long enough. Never rejects. */
  async run(): Promise<void> {
    const { clock, timeout, grace } = this.#deps;
    const over = this.#call();
    await untilOver(clock, timeout, this.#done.signal);
    if (!this.#done.signal.aborted) {
      this.#timeout = new JobTimeoutError(timeout);
      for (const { control } of this.#active) control.abort(this.#timeout);
    }
    if (this.#timeout !== undefined || this.size === 0) cancel(this.#returned);
    if (await waitAtMost(clock, grace, over)) return;
    if (this.#timeout !== undefined) for (const member of this.#members) member.reject(this.#timeout);
  }

  /** A job of it is to end. The others go on; the last one is waited for, so that the work does not go on without it. */
  leave(member: Member<Config>, reason: Error): void {
    if (!this.#active.delete(member)) return;
    member.control.abort(reason);
    if (this.size === 0) this.#done.abort();
    else if (reason instanceof JobCancelledError) member.reject(reason);
  }

  async #call(): Promise<void> {
    const parts = await partsOf(this.#members.length, () => {
      this.#returned = this.#deps.work(this.#members.map(({ given }) => given));
      return this.#returned;
    });
    for (const [index, member] of this.#members.entries()) {
      const part = parts[index];
      if (this.#timeout !== undefined) member.reject(this.#timeout);
      else if (part?.status === 'fulfilled') member.resolve(part.value);
      else member.reject(part?.reason);
    }
    this.#done.abort();
  }
}
