import type { Clock } from '../clock.js';
import { toError } from '../errors.js';
import type { Job } from '../job.js';
import type { Batches, WorkerContext } from '../worker.js';
import type { BatchFunction } from './batch-function.js';
import { BatchCall } from './call.js';
import type { CallDeps, Member } from './call.js';

export interface GathererDeps<Config extends object> extends CallDeps {
  readonly work: BatchFunction<Config>;
  readonly clock: Clock;
  readonly maxSize: number;
  /** In milliseconds. */
  readonly maxWait: number;
  /** How many batches are done at once. */
  readonly concurrency: number;
  /** Told when there may be room for more jobs than before. */
  readonly onRoom: () => void;
}

interface Waiting<Config extends object> extends Member<Config> {
  /** By the monotonic clock. */
  readonly since: number;
}

/** Gathers the jobs of a type that have been claimed, until there are enough of them or they have waited long enough. */
export class Gatherer<Config extends object> implements Batches {
  readonly #deps: GathererDeps<Config>;
  /** First come, first served. */
  readonly #waiting = new Set<Waiting<Config>>();
  readonly #calls = new Set<BatchCall<Config>>();
  #isDraining = false;
  #cancelTimer: () => void = () => undefined;

  constructor(deps: GathererDeps<Config>) {
    this.#deps = deps;
  }

  /**
   * A batch that has begun takes no more jobs, however few it has: were more claimed, they would have to wait for its end.
   * What is claimed on the way to a batch that begins without it does that.
   */
  get room(): number {
    const { maxSize, concurrency } = this.#deps;
    let room = maxSize * Math.max(0, concurrency - this.#calls.size);
    for (const call of this.#calls) room += call.size;
    return room;
  }

  /** Resolves with the job's own part of what comes of its batch, or rejects. */
  join(job: Job<Config>, context: WorkerContext): Promise<unknown> {
    const { signal } = context;
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const control = new AbortController();
      const given = { job, ...context, signal: control.signal };
      const since = this.#deps.clock.monotonic();
      const member: Waiting<Config> = { given, control, since, resolve, reject };
      const leave = (): void => {
        this.#leave(member, toError(signal.reason));
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.add(member);
      this.#goOn();
    });
  }

  /** Who joins later does not wait either. */
  drain(): void {
    this.#isDraining = true;
    this.#goOn();
  }

  #leave(member: Waiting<Config>, reason: Error): void {
    if (this.#waiting.delete(member)) {
      member.reject(reason);
      this.#goOn(); // the first may be another now
    } else {
      for (const call of this.#calls) call.leave(member, reason);
    }
  }

  /** Begins what can be begun, and looks again when more can. */
  #goOn(): void {
    const { clock, maxSize, maxWait, concurrency } = this.#deps;
    this.#cancelTimer();
    while (this.#calls.size < concurrency) {
      const [first] = this.#waiting;
      if (first === undefined) return;
      const wait = first.since + maxWait - clock.monotonic();
      if (wait > 0 && this.#waiting.size < maxSize && !this.#isDraining) {
        this.#cancelTimer = clock.setTimer(() => {
          this.#goOn();
        }, wait);
        return;
      }
      this.#begin([...this.#waiting].slice(0, maxSize));
    }
  }

  #begin(members: readonly Waiting<Config>[]): void {
    for (const member of members) this.#waiting.delete(member);
    const call = new BatchCall(members, this.#deps);
    this.#calls.add(call);
    void call.run().then(() => {
      this.#calls.delete(call);
      this.#goOn();
      this.#deps.onRoom();
    });
  }
}
