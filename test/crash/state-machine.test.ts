import { setImmediate } from 'node:timers/promises';

import { JobError, retryIn } from '@oada/jobs';
import { OADAClient } from '@oada/client';
import fc from 'fast-check';
import { expect, test } from 'vitest';

import { DayIndex } from '../../lib/day-index.js';
import { Dispatcher } from '../../lib/dispatcher.js';
import { StoreError } from '../../lib/errors.js';
import type { StoreErrorCode } from '../../lib/errors.js';
import { Events } from '../../lib/events.js';
import { claimOf } from '../../lib/job.js';
import { isJsonObject } from '../../lib/json.js';
import type { Json, JsonObject } from '../../lib/json.js';
import { Listing } from '../../lib/listing.js';
import type { Revision, Store, StoredDocument } from '../../lib/oada/store.js';
import { resolveServiceOptions } from '../../lib/options.js';
import { entryId } from '../../lib/found-job.js';
import { pathsOf } from '../../lib/paths.js';
import { Slots } from '../../lib/slots.js';
import { createWorker } from '../../lib/worker.js';
import type { WorkFunction } from '../../lib/worker.js';
import { FakeClock } from '../fake-clock.js';
import { CountingConnection } from './breaking-connection.js';

const KEY = 'mine';
const JOB = 'resources/job';
const PATHS = pathsOf('tractor');
/** Nothing is asked of it. */
const CLIENT = new OADAClient({
  domain: 'http://127.0.0.1:1',
  token: 'none',
  connection: new CountingConnection('http://127.0.0.1:1', (_count, send) => send()),
});
const RUNS = Number(process.env['RUNS'] ?? 1500);
/** From which on something must be going round in circles. */
const MOST_STEPS = 3000;

/** What becomes of a request: it is done; it is done, and nobody hears of it; it is not done. */
type Fate = 'done' | 'answer lost' | 'refused';

/** How a run of the work goes. */
type Run = 'succeeds' | 'fails' | 'fails for good' | 'logs' | 'takes its time' | 'never ends' | 'polls';

/** What happens next. Numbers choose among what there is. */
type Step =
  | { readonly kind: 'serve'; readonly which: number; readonly fate: Fate }
  /** One instance takes the one it waits for to be dead, be it so or not. */
  | { readonly kind: 'presume dead'; readonly who: number }
  /** Another is started in its place. */
  | { readonly kind: 'die'; readonly who: number }
  /** Somebody writes to the job's document. */
  | { readonly kind: 'write' }
  | { readonly kind: 'wait' };

interface Request {
  readonly by: string;
  readonly what: string;
  serve(fate: Fate): void;
}

function storeError(code: StoreErrorCode, path: string): StoreError {
  return new StoreError(code, code, { path });
}

function merged(old: Json | undefined, patch: Json): Json {
  if (!isJsonObject(old) || !isJsonObject(patch)) return patch;
  const entries = Object.entries(patch).flatMap(([key, value]): [string, Json][] =>
    value === undefined ? [] : [[key, merged(old[key], value)]],
  );
  return { ...old, ...Object.fromEntries(entries) };
}

/** One job in a store, several instances that are after it, and what must hold whatever they do. */
class World {
  readonly clock = new FakeClock();
  readonly waiting: Request[] = [];
  readonly history: string[] = [];
  readonly #runs: Run[];
  #document: Json = { service: 'tractor', type: 'plough', config: {} };
  #rev = 1;
  #isPending = true;
  /** Paths of the lists of the day-indexes that the job is in. */
  readonly #filed = new Set<string>();
  #outcome: string | undefined;
  readonly #living = new Map<string, Dispatcher>();
  /** Whom each instance waits for. */
  readonly #held = new Map<string, string>();
  readonly #presumedDead = new Set<string>();
  readonly #begun = new Set<string>();
  #instances = 0;

  constructor(runs: readonly Run[]) {
    this.#runs = [...runs];
  }

  /** What must not have happened. */
  readonly faults: string[] = [];

  get isPending(): boolean {
    return this.#isPending;
  }

  /** Those who still wait for another to be done with the job. */
  get waitingForOthers(): readonly string[] {
    return [...this.#held.keys()];
  }

  get document(): Json {
    return this.#document;
  }

  get filed(): readonly string[] {
    return [...this.#filed];
  }

  start(): void {
    const instance = `instance-${++this.#instances}`;
    const store = this.#storeOf(instance);
    const options = resolveServiceOptions({}, {});
    const limits = { timeout: 5000, retries: { limit: 1, backoff: 100 } };
    const worker = createWorker('plough', limits, this.#work(instance));
    const dispatcher = new Dispatcher({
      ...{ service: 'tractor', queue: 'default', instance, store, paths: PATHS, options, clock: this.clock },
      dayIndex: new DayIndex(store, PATHS),
      listing: new Listing(),
      workers: new Map([['plough', worker]]),
      events: new Events(),
      secrets: new Set(),
      abort: new AbortController().signal,
      slots: new Slots(10, () => Infinity),
      own: { holding: (_jobId, _lease, work) => work() },
      others: {
        holds: (other) => this.#held.set(instance, other),
        forget: () => this.#held.delete(instance),
      },
      isCancelled: () => false,
      refresh: () => Promise.resolve(),
      settleRequest: () => Promise.resolve(),
    });
    this.#living.set(instance, dispatcher);
    dispatcher.setPaused(false);
    dispatcher.listed(PATHS.classic, new Map(this.#isPending ? [[KEY, { _id: JOB }]] : []));
  }

  #work(instance: string): WorkFunction {
    return async (_job, { log }) => {
      this.#begin(instance);
      const run = this.#runs.shift() ?? 'succeeds';
      const name = `${run}, run by ${instance}, ${this.#runs.length} to come`;
      this.history.push(name);
      switch (run) {
        case 'succeeds':
          return name;
        case 'fails':
          throw new Error(name);
        case 'fails for good':
          throw new JobError(name, { retry: false });
        case 'logs':
          void log.info('one');
          await log.info('two');
          void log.info('three');
          return name;
        case 'takes its time':
          void log.info('one');
          await new Promise<void>((resolve) => this.clock.setTimer(resolve, 1000));
          void log.info('two');
          return name;
        case 'never ends':
          return await new Promise(() => undefined);
        case 'polls':
          return retryIn(50);
      }
    };
  }

  /** Work is not begun again because its end could not be stored. */
  #begin(instance: string): void {
    const claim = claimOf(this.#document);
    if (claim?.instance !== instance) return; // lost already, which it does not know
    const name = `${instance} under its claim ${claim.attempt}`;
    if (this.#begun.has(name)) this.#fault(`the work is begun twice by ${name}`);
    this.#begun.add(name);
  }

  take(step: Step): Promise<void> | void {
    switch (step.kind) {
      case 'serve':
        this.waiting.splice(step.which % this.waiting.length, 1)[0]?.serve(step.fate);
        return;
      case 'presume dead':
        this.#takeOver(this.#chosen(step.who));
        return;
      case 'die': {
        const instance = this.#chosen(step.who);
        this.history.push(`${instance} dies`);
        this.#living.delete(instance);
        this.#held.delete(instance);
        this.start();
        return;
      }
      case 'write':
        this.history.push('somebody writes to the document');
        this.#write({ note: this.#rev });
        return;
      case 'wait':
        return this.clock.advance(this.clock.untilNext ?? 0);
    }
  }

  #chosen(who: number): string {
    return [...this.#living.keys()][who % this.#living.size]!;
  }

  #takeOver(observer: string): void {
    const other = this.#held.get(observer);
    if (other === undefined) return;
    this.history.push(`${observer} takes ${other} for dead`);
    this.#held.delete(observer);
    this.#presumedDead.add(`${other} by ${observer}`);
    this.#living.get(observer)?.takeOver(other, [entryId(PATHS.classic, KEY)]);
  }

  /** Those that have died are found out. */
  findTheDead(): boolean {
    const waiting = [...this.#held].filter(([, other]) => !this.#living.has(other));
    for (const [observer] of waiting) this.#takeOver(observer);
    return waiting.length > 0;
  }

  #storeOf(instance: string): Store {
    const ask = <T>(what: string, path: string, answer: () => T): Promise<T> =>
      new Promise<T>((resolve, reject) => {
        const serve = (fate: Fate): void => {
          const isAlive = this.#living.has(instance);
          this.history.push(`${instance}: ${what} ${path}: ${fate}${isAlive ? '' : ', of a dead one'}`);
          try {
            if (fate === 'refused') throw storeError('OADA_JOBS_STORE_FAILED', path);
            const answered = answer();
            if (fate === 'answer lost') throw storeError('OADA_JOBS_STORE_UNREACHABLE', path);
            if (isAlive) resolve(answered);
          } catch (error) {
            if (isAlive) reject(error);
          }
        };
        if (this.#living.has(instance)) this.waiting.push({ by: instance, what, serve });
      });
    return {
      client: CLIENT,
      check: () => Promise.resolve(),
      close: () => Promise.resolve(),
      watch: () => Promise.reject(new Error('not used')),
      head: (path) => Promise.reject(storeError('OADA_JOBS_STORE_NOT_FOUND', path)),
      ensure: (path) => ask('ensure', path, () => undefined),
      get: (path) => ask('get', path, (): StoredDocument => ({ ...this.#revision(), data: this.#document })),
      delete: (path) => ask('delete', path, () => this.#remove()),
      put: (path, data, { ifMatch } = {}) =>
        ask(`put ${JSON.stringify(data)} to`, path, () => {
          if (path !== `/${JOB}`) return this.#file(instance, path);
          if (ifMatch !== undefined && ifMatch !== this.#revision().etag)
            throw storeError('OADA_JOBS_STORE_CONFLICT', path);
          if (isJsonObject(data) && 'status' in data) this.#decide(instance, data, ifMatch);
          return this.#write(data);
        }),
    };
  }

  #revision(): Revision {
    return { rev: this.#rev, etag: `"${this.#rev}"` };
  }

  #write(patch: Json): Revision {
    this.#document = merged(this.#document, patch);
    this.#rev++;
    return this.#revision();
  }

  #fault(fault: string): void {
    this.faults.push(fault);
    this.history.push(`FAULT: ${fault}`);
  }

  /** A write that says what becomes of the job. */
  #decide(instance: string, patch: JsonObject, ifMatch: string | undefined): void {
    const holder = claimOf(this.#document)?.instance;
    const taker = claimOf(patch)?.instance;
    if (ifMatch === undefined) this.#fault(`${instance} decides without a condition`);
    if (instance !== (taker ?? holder))
      this.#fault(`${instance} decides, and ${String(holder)} holds the claim`);
    if (taker !== undefined && holder !== undefined && holder !== taker) {
      if (!this.#presumedDead.has(`${holder} by ${taker}`)) this.#fault(`${taker} takes what ${holder} has`);
    }
    if ('takeovers' in patch && holder === taker) this.#fault(`${instance} takes over from itself`);
    if (patch['claim'] === null) this.#begun.clear(); // it was given back
    const { status, result } = patch;
    const isFinal = status === 'success' || status === 'failure';
    const outcome = JSON.stringify({ status, result });
    if (this.#outcome !== undefined && outcome !== this.#outcome) {
      this.#fault(`after ${this.#outcome} comes ${outcome}`);
    }
    if (isFinal) this.#outcome = outcome;
  }

  #file(instance: string, path: string): Revision {
    const status = JSON.stringify(isJsonObject(this.#document) ? this.#document['status'] : undefined);
    const [, typed, list] = /jobs-(typed-)?(\w+)\/(?:[a-z-]+\/)?day-index/.exec(path) ?? [];
    if (status !== JSON.stringify(list)) this.#fault(`a job that is ${status} is filed under ${path}`);
    const holder = claimOf(this.#document)?.instance;
    if (holder !== instance && !this.#presumedDead.has(`${String(holder)} by ${instance}`))
      this.#fault(`${instance} files what ${String(holder)} holds`);
    if (typed === undefined) this.#filed.add(path); // the list of its type comes on top of the other
    if (this.#filed.size > 1) this.#fault('the job is in two lists');
    return { rev: 1, etag: '' };
  }

  #remove(): void {
    if (this.#filed.size === 0) this.#fault('the job is removed before it is filed');
    if (!this.#isPending) return;
    this.#isPending = false;
    for (const [instance, dispatcher] of this.#living) {
      const serve = (): void => dispatcher.removed(PATHS.classic, KEY);
      this.waiting.push({ by: instance, what: 'hears that the job is gone', serve });
    }
  }
}

/** Takes the steps; then nothing goes wrong any more, until all has come to rest. */
async function play(runs: readonly Run[], steps: readonly Step[]): Promise<World> {
  const world = new World(runs);
  await world.clock.advance(86_400_000 - 1500); // the day ends soon
  world.start();
  world.start();
  for (const step of steps) {
    await setImmediate();
    await world.take(step);
  }
  for (let count = 0; count < MOST_STEPS; count++) {
    await setImmediate();
    if (world.waiting.length > 0) await world.take({ kind: 'serve', which: 0, fate: 'done' });
    else if (world.clock.untilNext !== undefined) await world.take({ kind: 'wait' });
    else if (!world.findTheDead()) return world;
  }
  world.faults.push('it goes round in circles');
  return world;
}

const anyFate = fc.oneof(
  { arbitrary: fc.constant<Fate>('done'), weight: 6 },
  { arbitrary: fc.constantFrom<Fate>('answer lost', 'refused'), weight: 2 },
);
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ kind: fc.constant('serve' as const), which: fc.nat(3), fate: anyFate }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('presume dead' as const), who: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('die' as const), who: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'write' }) },
  { weight: 4, arbitrary: fc.constant<Step>({ kind: 'wait' }) },
);
const anyRun = fc.constantFrom<Run>(
  ...(['succeeds', 'fails', 'fails for good', 'logs', 'takes its time', 'never ends', 'polls'] as const),
);

test('whatever two instances and their store do, a job is filed once, under its one outcome', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyRun, { maxLength: 4 }),
      fc.array(anyStep, { maxLength: 60, size: 'max' }),
      async (runs, steps) => {
        const world = await play(runs, steps);
        const history = world.history.join('\n');
        expect(world.faults, history).toEqual([]);
        expect(world.isPending, history).toBe(false);
        expect(world.filed, history).toHaveLength(1);
        expect(world.waitingForOthers, history).toEqual([]);
        expect(world.document, history).toMatchObject({
          status: expect.stringMatching(/^(success|failure)$/),
        });
      },
    ),
    { numRuns: RUNS },
  );
});
