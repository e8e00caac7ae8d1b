import { backoff, sleep } from '../clock.js';
import { toError } from '../errors.js';
import type { OperatorDeps } from '../operator/operator-deps.js';
import type { LiveEvents } from './api.js';

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 5000;

/** Whether the store answers: asked when somebody has doubts, until it does. */
export class ConnectionState {
  readonly #deps: Pick<OperatorDeps, 'store' | 'clock'>;
  readonly #changed: (state: LiveEvents['connection']) => void;
  readonly #stopping = new AbortController();
  #isAsking = false;
  #wake = new AbortController();
  #state: LiveEvents['connection'] | undefined;

  constructor(
    deps: Pick<OperatorDeps, 'store' | 'clock'>,
    changed: (state: LiveEvents['connection']) => void,
  ) {
    this.#deps = deps;
    this.#changed = changed;
  }

  /** Undefined before it was first found out. */
  get state(): LiveEvents['connection'] | undefined {
    return this.#state;
  }

  doubt(): void {
    if (!this.#isAsking && !this.#stopping.signal.aborted) void this.#ask();
  }

  /** Something was heard of the store. */
  heard(): void {
    if (this.#state?.ok === false) this.#wake.abort();
  }

  stop(): void {
    this.#stopping.abort();
  }

  async #ask(): Promise<void> {
    const { store, clock } = this.#deps;
    const { signal } = this.#stopping;
    this.#isAsking = true;
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        await store.check();
        this.#set({ ok: true });
        break;
      } catch (error) {
        this.#set({ ok: false, problem: toError(error).message });
        this.#wake = new AbortController();
        const wait = backoff(clock, attempt, FIRST_WAIT_MS, LONGEST_WAIT_MS);
        await sleep(clock, wait, AbortSignal.any([signal, this.#wake.signal]));
      }
    }
    this.#isAsking = false;
  }

  #set(state: LiveEvents['connection']): void {
    const { ok, problem } = this.#state ?? {};
    if (this.#stopping.signal.aborted || (ok === state.ok && problem === state.problem)) return;
    this.#state = state;
    this.#changed(state);
  }
}
