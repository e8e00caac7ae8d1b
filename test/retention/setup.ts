import { setImmediate } from 'node:timers/promises';

import type { OADAClient } from '@oada/client';
import type { RetentionOptions } from '@oada/jobs';
import type { OADAServer } from '@oada/jobs/server';
import { onTestFinished } from 'vitest';

import { systemClock } from '../../lib/clock.js';
import { StoreError } from '../../lib/errors.js';
import { openStore } from '../../lib/oada/store.js';
import type { Store } from '../../lib/oada/store.js';
import { pathsOf, TREE } from '../../lib/paths.js';
import type { FinalStatus, LayoutName } from '../../lib/paths.js';
import { resolveRetention } from '../../lib/retention/options.js';
import type { ResolvedRetention } from '../../lib/retention/policy.js';
import { pruneJobs } from '../../lib/retention/prune.js';
import type { Pruned, PruneOptions } from '../../lib/retention/prune.js';
import { FakeClock } from '../fake-clock.js';
import { IdleClock } from '../idle-clock.js';
import { keysOf, NAME, postResource, read, startServer, TOKEN } from '../setup.js';
import type { Stored } from '../setup.js';

export const PATHS = pathsOf(NAME);
export const LAYOUTS: readonly LayoutName[] = ['classic', 'nested'];

/** Far enough back for `'30d'` at the fake clock's 2024-01-01. */
export const OLD = '2023-11-15';
/** Not. */
export const YOUNG = '2023-12-24';

/** Nobody waits on it: each wait is over at once, and is noted. */
class HastyClock extends FakeClock {
  readonly waits: number[] = [];
  /** Told of each wait when it begins. */
  onWait: () => void = () => undefined;

  override setTimer(callback: () => void, milliseconds: number): () => void {
    this.waits.push(milliseconds);
    this.onWait();
    void setImmediate().then(callback);
    return () => undefined;
  }
}

/** What runs in it stands still while a store answers: time goes on when all is quiet. */
export class PatientClock extends IdleClock {
  /** What {@link random} gives. */
  chance = 0.5;

  override random(): number {
    return this.chance;
  }
}

/** What a client that is cut off says. */
export function cutOff(path: string, message = 'cut off'): StoreError {
  return new StoreError('OADA_JOBS_STORE_UNREACHABLE', message, { path });
}

export interface FiledJob {
  readonly key?: string;
  readonly status?: FinalStatus;
  readonly layout?: LayoutName;
  readonly date?: string;
  readonly failureType?: string;
  /** In whose list it stands as well. */
  readonly owner?: string;
  /** A resource that is there already. */
  readonly id?: string;
  /** In place of the usual document. */
  readonly document?: object;
}

export function limits(options: RetentionOptions): ResolvedRetention {
  return resolveRetention(options)!;
}

/** A server with the finished jobs of one service. */
export class Archive {
  readonly clock = new HastyClock();
  readonly server: OADAServer;
  readonly oada: OADAClient;
  readonly store: Store;
  #filed = 0;

  private constructor(server: OADAServer) {
    this.server = server;
    this.oada = server.client(TOKEN);
    this.store = openStore(this.oada, {
      clock: systemClock,
      timeout: 10_000,
      onRequest: () => undefined,
    });
    onTestFinished(() => this.store.close());
  }

  static async start(): Promise<Archive> {
    const archive = new Archive(await startServer());
    await archive.store.check();
    for (const layout of LAYOUTS) await archive.store.ensure(PATHS[layout].pending, TREE);
    return archive;
  }

  /** Puts a finished job where a service files it. Resolves with its resource. */
  async file(job: FiledJob = {}): Promise<string> {
    const { status = 'success', layout = 'classic', date = OLD, failureType, owner } = job;
    const key = job.key ?? `job-${String(++this.#filed)}`;
    const ended = { status, owner, ...(failureType !== undefined && { failureType }) };
    const updates = { '0': { status, time: `${date}T12:00:00Z` } };
    const document = job.document ?? { service: NAME, type: 'basic', config: {}, ...ended, updates };
    const id = job.id ?? (await postResource(this.oada, document));
    const link = PATHS[layout].filedLink(id);
    await this.fileEntry(PATHS[layout].dayIndex(status, date), key, link);
    if (failureType !== undefined)
      await this.fileEntry(PATHS[layout].typedFailure(failureType, date), key, link);
    if (owner !== undefined) await this.fileEntry(PATHS.userJobs(owner), key, { _id: id });
    return id;
  }

  /** Any entry of the list of a day; the list is made where it is missing. */
  async fileEntry(path: string, key: string, entry: unknown): Promise<void> {
    await this.store.ensure(path, TREE);
    const data = JSON.parse(`{${JSON.stringify(key)}:${JSON.stringify(entry)}}`) as object;
    await this.oada.put({ path, data, contentType: 'application/json' });
  }

  async prune(
    options: RetentionOptions,
    { store = this.store, ...more }: Partial<PruneOptions> & { store?: Store } = {},
  ): Promise<Pruned> {
    return await pruneJobs(store, PATHS, { clock: this.clock, retention: limits(options), ...more });
  }

  async isThere(path: string): Promise<boolean> {
    return await this.oada.head({ path }).then(
      () => true,
      () => false,
    );
  }

  /** Which of the resources are there. */
  async among(ids: readonly string[]): Promise<string[]> {
    const there = await Promise.all(ids.map((id) => this.isThere(`/${id}`)));
    return ids.filter((_, index) => there[index]);
  }

  /** The keys at a path; none where there is nothing. */
  async keys(path: string): Promise<string[]> {
    return (await this.isThere(path)) ? keysOf(await read(this.oada, path)) : [];
  }

  /** The days that there are lists of. */
  async days(status: FinalStatus = 'success', layout: LayoutName = 'classic'): Promise<string[]> {
    return await this.keys(PATHS[layout].dayIndexes(status));
  }

  /** All that stands below the service, with what its links lead to; `missing` for what is not there. */
  async all(path: string = PATHS.service): Promise<Stored> {
    if (!(await this.isThere(path))) return 'missing';
    return await this.#expand(await read(this.oada, path));
  }

  async #expand(data: Stored): Promise<Stored> {
    if (typeof data !== 'object' || data === null) return data;
    const expanded: Stored = {};
    for (const [key, value] of Object.entries<Stored>(data)) {
      if (key === '_rev' || key === '_meta') continue;
      const id: unknown = key === '_id' ? undefined : value?._id;
      expanded[key] = typeof id === 'string' ? [id, await this.all(`/${id}`)] : await this.#expand(value);
    }
    return expanded;
  }
}
