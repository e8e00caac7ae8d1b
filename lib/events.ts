import { EventEmitter } from 'node:events';

import debug from 'debug';

import type { StoreError } from './errors.js';
import { toError } from './errors.js';
import type { StartedBySchedule } from './job.js';
import type { Json } from './json.js';
import type { LogLevel } from './logger.js';
import type { StoreMethod } from './oada/store.js';
import type { Outcome } from './outcome.js';
import type { FinalStatus } from './paths.js';
import type { Notify } from './schedule/options.js';
import type { OccurrenceOutcome } from './schedule/row.js';
import type { PassReason } from './schedule/step.js';

const log = debug('oada-jobs:events');

/** Which job an event is about. */
export interface JobEvent {
  /** The queue it was found in: `default`, or the key of the queue entry. */
  readonly queue: string;
  /** The key of its link in the pending list. */
  readonly key: string;
  /** Its resource, like `resources/abc`. */
  readonly jobId: string;
}

export interface TypedJobEvent extends JobEvent {
  readonly type: string;
}

/** What a service tells of itself, and with what. `docs/reference/events.md` is the same as a table. */
export interface ServiceEvents {
  'service:started': { readonly service: string };
  'service:stopped': { readonly service: string };
  'queue:started': { readonly queue: string };
  'queue:stopped': { readonly queue: string };
  /** It could not be started or lost its store; it is tried again in `retryIn` ms. */
  'queue:failed': { readonly queue: string; readonly error: Error; readonly retryIn: number };
  'queue:paused': { readonly queue: string };
  'queue:resumed': { readonly queue: string };
  /** An entry of the list of queues that cannot be one; it is left alone until it changes. */
  'queue:refused': { readonly queue: string; readonly error: Error };
  'job:found': JobEvent;
  /** Another instance has it. It is taken over when that one dies. */
  'job:held': JobEvent & { readonly instance: string };
  'job:started': TypedJobEvent & {
    readonly attempt: number;
    /** Milliseconds since it could be run. */
    readonly waited: number;
    /** The instance that had it, and died. */
    readonly takenFrom: string | undefined;
  };
  /** Its work function is over, or is not waited for any more. What it has come to is not stored yet. */
  'job:ran': TypedJobEvent & { readonly duration: number; readonly outcome: Outcome['kind'] };
  /** Its work function has logged something, of whatever level. */
  'job:logged': TypedJobEvent & {
    readonly level: LogLevel;
    readonly status: string;
    readonly meta: Json | undefined;
  };
  'job:succeeded': TypedJobEvent & { readonly duration: number };
  'job:failed': TypedJobEvent & { readonly duration: number; readonly error: Error };
  /** It is in the day-index, at `path`. `type` is empty where its document is no job. */
  'job:filed': TypedJobEvent & {
    readonly status: FinalStatus;
    readonly failureType: string | undefined;
    readonly path: string;
    /** The occurrence of a schedule that its document names as what has started it. */
    readonly startedBy?: StartedBySchedule | undefined;
  };
  /** A resource that the job names could not be linked to it. */
  'link:failed': JobEvent & { readonly resource: string; readonly error: StoreError };
  /** It is run again, but not before then: it failed and is retried, or its work asked for it. */
  'job:postponed': TypedJobEvent & { readonly until: Date; readonly isRetry: boolean };
  /** Another instance died; so many of its jobs are taken over. */
  'instance:lost': { readonly queue: string; readonly instance: string; readonly jobs: number };
  /** The service stopped before the work was done; the job stays pending. */
  'job:interrupted': TypedJobEvent;
  /** The work function runs on after its timeout; its result is dropped. */
  'job:stuck': TypedJobEvent;
  /** Nothing was done with the job: another instance has it, it is gone, or it cannot be reached. */
  'job:skipped': JobEvent & { readonly reason: string };
  /** Updates of a job could not be written; the work goes on. */
  'log:failed': JobEvent & { readonly error: Error };
  /** The job of an occurrence is submitted. */
  'schedule:started': {
    readonly schedule: string;
    /** The `scheduleEach` that it is one of. */
    readonly group: string | undefined;
    readonly occurrence: string;
    readonly jobId: string;
    /** Milliseconds since it was due, or was asked for. */
    readonly lag: number;
  };
  /** An occurrence is over. `failures` counts those in a row, `before` as it was until then. */
  'schedule:ended': {
    readonly schedule: string;
    /** Of its jobs. */
    readonly type: string;
    /** Which ends of it people are told of. */
    readonly notify: Notify;
    readonly occurrence: string;
    readonly outcome: OccurrenceOutcome;
    readonly failures: number;
    readonly before: number;
    readonly jobId: string | undefined;
    readonly message: string | undefined;
  };
  /** So many occurrences, from this one on, are passed over. */
  'schedule:skipped': {
    readonly schedule: string;
    readonly occurrence: string;
    readonly reason: PassReason;
    readonly count: number;
  };
  /** Its own functions throw again and again: it is run no more until it is reset. */
  'schedule:held': {
    readonly schedule: string;
    readonly type: string;
    readonly notify: Notify;
    readonly reason: string;
  };
  /** The list of a `scheduleEach` is empty: so many schedules of items that were in it go on all the same. */
  'schedule:kept': { readonly group: string; readonly list: string; readonly count: number };
  /** An item of the list of a `scheduleEach` can have no schedule, or cannot be judged: then its schedule stays as it is. */
  'schedule:refused': { readonly group: string; readonly item: string; readonly error: Error };
  /** A schedule, or the list of a `scheduleEach`, could not be attended to; it is tried again in `retryIn` ms. */
  'schedule:delayed': { readonly schedule: string; readonly error: Error; readonly retryIn: number };
  /** A period of a report is over, and which jobs are in it is settled. */
  'report:closed': { readonly report: string; readonly period: Date; readonly rows: number };
  /** The e-mail with a period's rows is among the jobs of abalonemail. */
  'report:sent': {
    readonly report: string;
    /** When the period ended. */
    readonly period: Date;
    readonly rows: number;
    readonly jobId: string;
  };
  /** A period could not be closed or sent; that is tried again in `retryIn` ms. */
  'report:delayed': { readonly report: string; readonly error: Error; readonly retryIn: number };
  /** The filter of a report threw; the job is in the report all the same. */
  'filter:failed': { readonly report: string; readonly jobId: string; readonly error: Error };
  /** A finish reporter could not tell of so many jobs. */
  'notice:failed': {
    readonly reporter: 'slack' | 'email';
    readonly error: Error;
    readonly dropped: number;
  };
  /** So many finished jobs of a status, filed before a day, were deleted in one step. */
  'jobs:pruned': {
    readonly queue: string;
    readonly status: FinalStatus;
    readonly count: number;
    /** UTC, as `2026-01-31`. */
    readonly before: string;
  };
  /** Old jobs could not be deleted; that is tried again in `retryIn` ms. */
  'prune:failed': { readonly queue: string; readonly error: Error; readonly retryIn: number };
  /** A request to the store is over, well or not. */
  'store:requested': {
    readonly queue: string;
    readonly method: StoreMethod;
    readonly error: StoreError | undefined;
  };
}

export type EventName = keyof ServiceEvents;
export type Listener<Name extends EventName> = (event: ServiceEvents[Name]) => void;

/** What others may do with the events: listen. */
export interface EventSource {
  on<Name extends EventName>(name: Name, listener: Listener<Name>): void;
  off<Name extends EventName>(name: Name, listener: Listener<Name>): void;
  /** Resolves with the next event of this name that the filter lets through. */
  next<Name extends EventName>(
    name: Name,
    filter?: (event: ServiceEvents[Name]) => boolean,
  ): Promise<ServiceEvents[Name]>;
}

/** A listener that throws harms nobody else. */
export class Events implements EventSource {
  readonly #emitter = new EventEmitter();
  /** How to take a listener back. */
  readonly #removals = new Map<EventName, Map<object, () => void>>();

  constructor() {
    this.#emitter.setMaxListeners(0);
  }

  emit<Name extends EventName>(name: Name, event: ServiceEvents[Name]): void {
    log('%s %o', name, event);
    this.#emitter.emit(name, event);
  }

  on<Name extends EventName>(name: Name, listener: Listener<Name>): void {
    const guarded = (event: ServiceEvents[Name]): void => {
      try {
        listener(event);
      } catch (error) {
        log('a listener of %s threw: %s', name, toError(error).stack);
      }
    };
    this.off(name, listener);
    const removals = this.#removals.get(name) ?? new Map<object, () => void>();
    this.#removals.set(name, removals);
    removals.set(listener, () => this.#emitter.off(name, guarded));
    this.#emitter.on(name, guarded);
  }

  off<Name extends EventName>(name: Name, listener: Listener<Name>): void {
    this.#removals.get(name)?.get(listener)?.();
    this.#removals.get(name)?.delete(listener);
  }

  next<Name extends EventName>(
    name: Name,
    filter: (event: ServiceEvents[Name]) => boolean = () => true,
  ): Promise<ServiceEvents[Name]> {
    return new Promise((resolve) => {
      const listener: Listener<Name> = (event) => {
        if (!filter(event)) return;
        this.off(name, listener);
        resolve(event);
      };
      this.on(name, listener);
    });
  }
}
