import { isDeepStrictEqual } from 'node:util';

import debug from 'debug';

import { waitAtMost } from '../clock.js';
import { toError } from '../errors.js';
import type { ListEntry, ListReader } from '../operator/lists.js';
import type { OperatorDeps } from '../operator/operator-deps.js';
import type { ListObserver } from '../watched-list.js';
import type { JobCounts, LiveEvents } from './api.js';
import { ConnectionState } from './connection-state.js';
import { FollowedJobs } from './followed-jobs.js';
import { LiveDays } from './live-days.js';
import { LiveFinished } from './live-finished.js';
import { LiveInstances } from './live-instances.js';
import { LivePending } from './live-pending.js';
import { Paced } from './paced.js';
import { ViewOfList } from './view-of-list.js';

const log = debug('oada-jobs:dashboard');

/** Is told what happens in a service. */
export interface LiveViewer {
  tell<Name extends keyof LiveEvents>(name: Name, data: LiveEvents[Name]): void;
}

const COUNTS_MS = 500;
const CHANGED_MS = 1000;
/** How long a list is waited for that is being read, before it is read once more. */
const PATIENCE_MS = 2000;
const ADDED_MS = 500;
const MOST_ADDED = 10;

type Changing = LiveEvents['changed']['what'];

/** All that is kept in view of a service for those who look at it: pushed by watches, and read once. */
export class LiveService {
  readonly #deps: OperatorDeps;
  readonly #viewers = new Set<LiveViewer>();
  readonly #connection: ConnectionState;
  readonly #pending: LivePending;
  readonly #days: LiveDays;
  readonly #finished: LiveFinished;
  readonly #instances: LiveInstances;
  readonly #jobs: FollowedJobs;
  /** What only has to be looked for, or read again as a whole. */
  readonly #views: readonly ViewOfList[];
  readonly #paces: Readonly<Record<'counts' | 'added' | Changing, Paced>>;
  #added: ListEntry[] = [];
  /** The counts that were told last. */
  #told: JobCounts | undefined;
  #isPaused = false;
  #isReady = false;
  #isSeeded = false;
  #isAway = false;

  /** @param lists reads those that are not kept here */
  constructor(deps: OperatorDeps, lists: ListReader) {
    this.#deps = deps;
    const lost = (error: Error): void => {
      this.#lost(error);
    };
    this.#paces = this.#makePaces();
    const counts = (): void => {
      this.#connection.heard();
      if (this.#isReady) this.#paces.counts.ask();
    };
    let setReady: () => void = () => undefined;
    const ready = new Promise<void>((resolve) => {
      setReady = resolve;
    });
    this.#connection = new ConnectionState(deps, (state) => {
      this.#connected(state);
    });
    this.#finished = new LiveFinished(deps, {
      finished: (jobs) => {
        this.#tell('finished', jobs);
      },
      point: (point) => {
        if (this.#isSeeded) this.#tell('throughput', [point]);
      },
      lost,
    });
    this.#days = new LiveDays(deps, {
      ...{ lists, lost, changed: counts, after: ready },
      filed: (status, entries) => {
        this.#finished.filed(status, entries);
      },
    });
    this.#pending = new LivePending(deps, {
      ...{ lost, changed: counts },
      added: (entries) => {
        this.#added = [...this.#added, ...entries.slice(-MOST_ADDED)].slice(-MOST_ADDED);
        this.#paces.added.ask();
      },
      left: () => {
        this.#days.look();
      },
    });
    this.#instances = new LiveInstances(deps, {
      lost,
      changed: () => {
        counts();
        this.#changed('instances');
      },
    });
    this.#jobs = new FollowedJobs(
      deps,
      (id) => this.#pending.keyOf(id) ?? id.slice('resources/'.length),
      lost,
    );
    this.#views = this.#makeViews(lost);
    this.#connection.doubt();
    void this.#begin(setReady);
  }

  /** How many look at it. */
  get viewers(): number {
    return this.#viewers.size;
  }

  /**
   * @param jobs that are to be told of
   * @returns ends it
   */
  view(viewer: LiveViewer, jobs: readonly string[]): () => void {
    this.#viewers.add(viewer);
    const { state } = this.#connection;
    if (state !== undefined) viewer.tell('connection', state);
    if (this.#isReady) viewer.tell('counts', this.counts());
    if (this.#isSeeded) viewer.tell('throughput', this.#finished.throughput.points);
    const wants = jobs.length === 1 ? 'detail' : 'summary';
    const follower = {
      wants,
      job: (job: LiveEvents['job']): void => {
        viewer.tell('job', job);
      },
    } as const;
    const releases = jobs.map((id) => this.#jobs.follow(id, follower));
    return () => {
      this.#viewers.delete(viewer);
      for (const release of releases) release();
    };
  }

  /** What a list that is in view holds, or is about to come into view; undefined for others. */
  async entries(path: string): Promise<readonly ListEntry[] | undefined> {
    const kept = (): readonly ListEntry[] | undefined =>
      this.#pending.entries(path) ?? this.#days.entries(path);
    const opened = this.#pending.opened(path) ?? this.#days.opened(path);
    if (opened !== undefined && kept() === undefined) await waitAtMost(this.#deps.clock, PATIENCE_MS, opened);
    return kept();
  }

  counts(): JobCounts {
    const instances = this.#instances.summaries();
    const alive = instances.filter(({ state }) => state === 'alive');
    return {
      pending: this.#pending.size,
      running: alive.reduce((sum, { running }) => sum + running, 0),
      instances: { alive: alive.length, silent: instances.length - alive.length },
      paused: this.#isPaused,
      days: this.#days.counts(),
    };
  }

  stop(): void {
    this.#connection.stop();
    for (const part of [this.#pending, this.#days, this.#finished, this.#instances, this.#jobs]) part.stop();
    for (const view of this.#views) view.stop();
    for (const pace of Object.values(this.#paces)) pace.stop();
  }

  /** Tells of each thing as soon as it is known: of the counts before the long lists. */
  async #begin(setReady: () => void): Promise<void> {
    await Promise.all([
      this.#pending.tried,
      this.#instances.tried(),
      ...this.#views.map(({ tried }) => tried),
    ]);
    this.#isReady = true;
    this.#tellCounts();
    setReady();
    await this.#days.tried();
    this.#tellCounts();
    try {
      await this.#finished.seed(this.#days);
    } catch (error) {
      this.#lost(toError(error));
    }
    this.#isSeeded = true;
    this.#tell('throughput', this.#finished.throughput.points);
  }

  #tell<Name extends keyof LiveEvents>(name: Name, data: LiveEvents[Name]): void {
    for (const viewer of this.#viewers) viewer.tell(name, data);
  }

  #lost(error: Error): void {
    log('%s: %s', this.#deps.service, error.message);
    this.#connection.doubt();
  }

  #connected(state: LiveEvents['connection']): void {
    this.#tell('connection', state);
    const wasAway = this.#isAway;
    this.#isAway = !state.ok;
    if (!wasAway || !state.ok) return;
    const parts = [this.#pending, this.#days, this.#instances, ...this.#views];
    for (const part of parts)
      part.refresh().catch((error: unknown) => {
        this.#lost(toError(error));
      });
  }

  /** Heartbeats mostly change nothing of them. */
  #tellCounts(): void {
    const counts = this.counts();
    if (isDeepStrictEqual(counts, this.#told)) return;
    this.#told = counts;
    this.#tell('counts', counts);
  }

  /** What is read for the first time has not changed. */
  #changed(what: Changing): void {
    if (this.#isReady) this.#paces[what].ask();
  }

  #makePaces(): Readonly<Record<'counts' | 'added' | Changing, Paced>> {
    const { clock } = this.#deps;
    const changed = (what: Changing): Paced =>
      new Paced(clock, CHANGED_MS, () => {
        this.#tell('changed', { what });
      });
    return {
      counts: new Paced(clock, COUNTS_MS, () => {
        this.#tellCounts();
      }),
      added: new Paced(clock, ADDED_MS, () => {
        const added = this.#added.splice(0);
        this.#tell('added', added);
      }),
      schedules: changed('schedules'),
      queues: changed('queues'),
      instances: changed('instances'),
    };
  }

  #makeViews(lost: (error: Error) => void): ViewOfList[] {
    const { paths } = this.#deps;
    const view = (path: string, changed: () => void, own: Partial<ListObserver> = {}): ViewOfList =>
      new ViewOfList(this.#deps, {
        path,
        observer: { listed: changed, changed, removed: changed, lost, ...own },
      });
    const list = (what: 'schedules' | 'queues'): ViewOfList =>
      view(paths[what], () => {
        this.#changed(what);
      });
    const controls = view(paths.controls, () => undefined, {
      listed: (entries) => {
        this.#setPaused(entries.get('paused') === true);
        this.#changed('schedules'); // all of them may be held now
      },
      changed: (name, written) => {
        if (name === 'paused') this.#setPaused(written === true);
        if (name === 'schedules') this.#changed('schedules');
      },
      removed: (name) => {
        if (name === 'paused') this.#setPaused(false);
      },
    });
    const views = [controls, list('schedules'), list('queues')];
    // What is made below the service is told of here.
    const service = view(paths.service, () => {
      for (const part of [this.#pending, this.#days, this.#instances, ...views]) part.look();
    });
    return [...views, service];
  }

  #setPaused(isPaused: boolean): void {
    this.#isPaused = isPaused;
    if (this.#isReady) this.#paces.counts.ask();
  }
}
