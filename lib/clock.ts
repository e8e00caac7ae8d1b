import { generate } from 'xksuid';

import { successor } from './key.js';

/** All that the library knows of time and chance. Tests bring their own. */
export interface Clock {
  /** The time of day. */
  now(): Date;
  /** Milliseconds since some moment; never goes back. */
  monotonic(): number;
  /**
   * Calls back once, after `Infinity` never; returns the function that cancels it. For what is waited for: a clock that
   * skips time skips it. How long something may take is told by {@link setLimit}.
   */
  setTimer(callback: () => void, milliseconds: number): () => void;
  /** Says that something goes on, until the function that it returns is called: a clock that skips time skips none then. */
  busy(): () => void;
  /** A number from 0 up to 1. */
  random(): number;
  /** A new unique key: 27 characters that sort by the second, and those of one process in the order they were asked for. */
  key(): string;
}

export const systemClock: Clock = Object.freeze<Clock>({
  now: () => new Date(),
  monotonic: () => performance.now(),
  setTimer,
  busy: () => free,
  random: () => Math.random(),
  key: keysBy(() => Date.now()),
});

function setTimer(callback: () => void, milliseconds: number): () => void {
  if (milliseconds === Infinity) return () => undefined; // Node would call back at once
  const timer = setTimeout(callback, milliseconds);
  return () => {
    clearTimeout(timer);
  };
}

function free(): void {
  // Here time goes on by itself.
}

/**
 * As {@link Clock.setTimer}, for how long something may take that goes on, from now until the timer is cancelled: no clock
 * skips time meanwhile.
 */
export function setLimit(clock: Clock, callback: () => void, milliseconds: number): () => void {
  const end = clock.busy();
  const cancelTimer = clock.setTimer(() => {
    end();
    callback();
  }, milliseconds);
  return () => {
    cancelTimer();
    end();
  };
}

/** The time in which a run works. While it only waits for other jobs, nothing of it goes on. */
export class Stint {
  readonly #clock: Clock;
  /** How many waits it is interrupted by. */
  #waits = 0;
  #isOver = false;
  #rest: () => void;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#rest = clock.busy();
  }

  /** It works again when all that it waits for at the same time is over. */
  async waiting<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waits++ === 0) this.#rest();
    try {
      return await work();
    } finally {
      if (--this.#waits === 0 && !this.#isOver) this.#rest = this.#clock.busy();
    }
  }

  end(): void {
    this.#isOver = true;
    this.#rest();
  }
}

/**
 * Makes new keys: each second a random one, and those that follow within the second count on from it.
 *
 * @param now in milliseconds
 */
export function keysBy(now: () => number): () => string {
  let lastKey = '';
  let lastSecond = 0;
  return () => {
    const time = now();
    const second = Math.floor(time / 1000);
    const key = second === lastSecond ? '' : generate(false, time);
    lastSecond = second;
    lastKey = key > lastKey ? key : successor(lastKey); // also where the clock was put back
    return lastKey;
  };
}

/** Waits, by a timer; resolves early, and quietly, when the signal is aborted. */
export function sleep(clock: Clock, milliseconds: number, signal?: AbortSignal): Promise<void> {
  return untilDone((done) => clock.setTimer(done, milliseconds), signal);
}

/** Waits until the signal is aborted, because something is over, and at the latest until its limit. */
export function untilOver(clock: Clock, milliseconds: number, signal: AbortSignal): Promise<void> {
  return untilDone((done) => setLimit(clock, done, milliseconds), signal);
}

function untilDone(set: (done: () => void) => () => void, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve();
      return;
    }
    const done = (): void => {
      cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const cancel = set(done);
    signal?.addEventListener('abort', done, { once: true });
  });
}

/**
 * Resolves when the work is over, well or not, and at the latest when its limit is reached.
 *
 * @returns whether it is over
 */
export async function waitAtMost(clock: Clock, milliseconds: number, work: Promise<void>): Promise<boolean> {
  const over = new AbortController();
  const end = (): void => {
    over.abort();
  };
  void work.then(end, end);
  await untilOver(clock, milliseconds, over.signal);
  return over.signal.aborted;
}

/** How long to wait before try number `attempt` (from 1): doubling from `first` to `most`, the last quarter by chance. */
export function backoff(clock: Clock, attempt: number, first: number, most: number): number {
  const full = Math.min(most, first * 2 ** (attempt - 1));
  return full * (0.75 + 0.25 * clock.random());
}
