import { setImmediate } from 'node:timers/promises';

import { keysBy, systemClock } from '../clock.js';
import type { Clock } from '../clock.js';

interface Appointment {
  /** By the monotonic clock. */
  readonly due: number;
  readonly callback: () => void;
}

/** How many turns of the event loop nothing may go on for before it is taken that nothing will. */
const QUIET_TURNS = 4;

/**
 * Goes as all clocks do, and skips what there is to wait for when it is told to, one appointment after another. It skips
 * nothing while something goes on: a request to the store, a job that runs.
 */
export class SkippingClock implements Clock {
  readonly key: () => string = keysBy(() => this.now().getTime());
  /** The time of day at which the monotonic clock is 0. */
  readonly #epoch: number;
  /** What the monotonic clock is ahead of the system's. */
  #skipped = 0;
  readonly #appointments = new Set<Appointment>();
  /** One for each thing that goes on. */
  readonly #goingOn = new Set<object>();
  /** Of the timer to the next appointment. */
  #cancelTimer: () => void = () => undefined;
  /** Called when nothing goes on any more. */
  #onFree: () => void = () => undefined;
  #turn: Promise<unknown> = Promise.resolve();

  /** @param start the time of day that it begins with; that of the system by default */
  constructor(start: Date = systemClock.now()) {
    this.#epoch = start.getTime() - systemClock.monotonic();
  }

  now(): Date {
    return new Date(Math.floor(this.#epoch + this.monotonic()));
  }

  monotonic(): number {
    return systemClock.monotonic() + this.#skipped;
  }

  setTimer(callback: () => void, milliseconds: number): () => void {
    if (milliseconds === Infinity) return () => undefined;
    const appointment = { due: this.monotonic() + milliseconds, callback };
    this.#appointments.add(appointment);
    this.#arm();
    return () => {
      if (this.#appointments.delete(appointment)) this.#arm();
    };
  }

  busy(): () => void {
    const one = {};
    this.#goingOn.add(one);
    return () => {
      if (this.#goingOn.delete(one) && this.#goingOn.size === 0) this.#onFree();
    };
  }

  random(): number {
    return systemClock.random();
  }

  /** Skips so much time; all that is due meanwhile happens, and is over when this resolves. */
  async skip(milliseconds: number): Promise<void> {
    await this.skipUntil(() => false, this.monotonic() + milliseconds);
  }

  /**
   * Has one thing after another happen, whenever all is quiet, as far as it is needed.
   *
   * @param end by the monotonic clock: nothing is skipped to that is due after it
   * @returns whether it is over; where it is not, that time has come
   */
  async skipUntil(isOver: () => boolean, end: number): Promise<boolean> {
    while (await this.#whenQuiet(() => !isOver() && this.#step(end)));
    return isOver();
  }

  /**
   * Does it, after what others want to be done, as soon as nothing goes on and nothing has followed from what did: in that
   * very turn of the event loop.
   */
  #whenQuiet<T>(act: () => T): Promise<T> {
    const done = this.#turn.then(async () => {
      for (let turns = 0; turns < QUIET_TURNS; turns++) {
        await setImmediate();
        if (this.#goingOn.size === 0) continue;
        await new Promise<void>((resolve) => {
          this.#onFree = resolve;
        });
        turns = -1;
      }
      return act();
    });
    this.#turn = done.catch(() => undefined); // whoever wanted it is told
    return done;
  }

  /** @returns whether something has happened; if not, there is nothing until that time, and it has come */
  #step(end: number): boolean {
    const next = this.#next();
    const isDue = next !== undefined && next.due <= end;
    this.#skipTo(isDue ? next.due : end);
    if (isDue) this.#keep(next);
    return isDue;
  }

  #skipTo(time: number): void {
    this.#skipped += Math.max(0, time - this.monotonic());
    this.#arm();
  }

  #next(): Appointment | undefined {
    let next: Appointment | undefined;
    for (const appointment of this.#appointments)
      if (next === undefined || appointment.due < next.due) next = appointment;
    return next;
  }

  #arm(): void {
    this.#cancelTimer();
    const next = this.#next();
    if (next === undefined) return;
    this.#cancelTimer = systemClock.setTimer(() => {
      this.#keep(next);
    }, next.due - this.monotonic());
  }

  #keep(appointment: Appointment): void {
    this.#appointments.delete(appointment);
    this.#arm();
    appointment.callback();
  }
}
