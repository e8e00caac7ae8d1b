import type { OADAClient } from '@oada/client';
import { parseAttachment } from '@oada/jobs';
import type { Report, ReportOptions } from '@oada/jobs';
import type { OADAServer } from '@oada/jobs/server';
import { onTestFinished } from 'vitest';

import { systemClock } from '../../lib/clock.js';
import { Events } from '../../lib/events.js';
import { ensureList, openStore } from '../../lib/oada/store.js';
import type { Store } from '../../lib/oada/store.js';
import { dayOf, pathsOf, TREE } from '../../lib/paths.js';
import type { FinalStatus, LayoutName } from '../../lib/paths.js';
import { Reports } from '../../lib/report/recording.js';
import { IdleClock } from '../idle-clock.js';
import { around } from '../observed-store.js';
import type { Requested } from '../observed-store.js';
import { EVENT_NAMES, keysOf, NAME, postResource, read, TOKEN } from '../setup.js';
import type { Stored, Told } from '../setup.js';

const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
export const PATHS = pathsOf(NAME);

/** The time that a report lets somebody else's function take. */
const EMAIL_LIMIT = 60_000;

/** What runs in it stands still while a store answers: time goes on when all reports sleep. */
class ReportClock extends IdleClock {
  /** What {@link random} gives, one after the other, again and again. */
  chances: readonly number[] = [0.5];
  #drawn = 0;

  override setTimer(callback: () => void, milliseconds: number): () => void {
    if (milliseconds === EMAIL_LIMIT) return () => undefined;
    return super.setTimer(callback, milliseconds);
  }

  override random(): number {
    return this.chances[this.#drawn++ % this.chances.length]!;
  }

  async advanceTo(time: string): Promise<void> {
    await this.advance(Date.parse(time) - this.now().getTime());
  }
}

export interface Instance {
  readonly events: Events;
  readonly reports: Reports;
  readonly report: Report;
  /** What it asked of the store, in order. */
  readonly requested: Requested[];
  readonly told: Told[];
  stop(): Promise<void>;
}

/** A store of one service, the instances that report on it, and their clock. */
export class Place {
  readonly clock: ReportClock;
  readonly oada: OADAClient;
  readonly server: OADAServer;
  /** How many reports run: when nothing goes on, each has a timer. */
  running = 0;
  #inFlight = 0;
  #jobs = 0;

  constructor(server: OADAServer) {
    this.clock = new ReportClock(() => this.#inFlight === 0 && this.clock.timers >= this.running);
    this.server = server;
    this.oada = server.client(TOKEN);
  }

  async start(
    options: Partial<ReportOptions> = {},
    client: OADAClient = this.server.client(TOKEN),
  ): Promise<Instance> {
    const events = new Events();
    const told: Told[] = [];
    for (const name of EVENT_NAMES) events.on(name, (event) => told.push({ name, event }));
    const requested: Requested[] = [];
    const store = openStore(client, { clock: systemClock, timeout: 10_000, onRequest: () => undefined });
    const secrets = new Set([TOKEN]);
    const reports = new Reports({ service: NAME, paths: PATHS, clock: this.clock, events, secrets });
    const report = reports.add(optionsOf(options));
    let stopped = false;
    const instance: Instance = {
      ...{ events, reports, report, requested, told },
      stop: async () => {
        if (stopped) return;
        stopped = true;
        this.running--;
        await reports.stop();
        await store.close();
      },
    };
    onTestFinished(() => instance.stop());
    this.running++;
    await reports.start(this.#observed(store, requested));
    await this.clock.idle();
    return instance;
  }

  /** The store, with its requests counted. */
  #observed(store: Store, requested: Requested[]): Store {
    return around(store, async (request, send) => {
      requested.push(request);
      this.#inFlight++;
      try {
        return await send();
      } finally {
        this.#inFlight--;
      }
    });
  }

  /** Puts a finished job where a service files it. Resolves with its key. */
  async file(job: FinishedJob = {}, ...tellers: readonly Instance[]): Promise<string> {
    const { type = 'basic', status = 'success', layout = 'classic', date = dayOf(this.clock.now()) } = job;
    const key = job.key ?? `job-${String(++this.#jobs)}`;
    const { config = { first: `first of ${key}`, second: 2 }, failureType } = job;
    const document = {
      service: NAME,
      type,
      config,
      status,
      ...(failureType !== undefined && { failureType }),
    };
    const id = job.id ?? (await postResource(this.oada, document));
    const path = PATHS[layout].dayIndex(status, date);
    await ensureList(this.oada, path, TREE);
    await this.oada.put({ path, data: { [key]: { _id: id } }, contentType: 'application/json' });
    const event = { queue: job.queue ?? 'default', key, jobId: id, type, status, failureType };
    for (const { events } of tellers) events.emit('job:filed', { ...event, path: `${path}/${key}` });
    await this.clock.idle();
    return key;
  }

  /** The jobs of abalonemail. */
  async emails(): Promise<Stored[]> {
    const list = '/bookmarks/services/abalonemail/jobs/pending';
    const known = await this.oada.head({ path: list }).then(
      () => true,
      () => false,
    );
    if (!known) return [];
    const keys = keysOf(await read(this.oada, list));
    return await Promise.all(keys.map((key) => read(this.oada, `${list}/${key}`)));
  }

  /** The rows of each e-mail. */
  async sent(): Promise<Record<string, string>[][]> {
    const emails = await this.emails();
    return emails.map(({ config }) => parseAttachment(config.attachments[0].content));
  }

  /** The first column of all e-mails. */
  async firsts(): Promise<string[]> {
    return (await this.sent()).flat().map(({ First = '' }) => First);
  }
}

export interface FinishedJob {
  readonly key?: string;
  readonly id?: string;
  readonly type?: string;
  readonly config?: object;
  readonly status?: FinalStatus;
  readonly failureType?: string;
  readonly layout?: LayoutName;
  readonly date?: string;
  readonly queue?: string;
}

export function optionsOf(options: Partial<ReportOptions> = {}): ReportOptions {
  return {
    name: 'test-report',
    reportConfig: {
      jobMappings: { First: '/config/first', Second: '/config/second', Status: 'errorMappings' },
      errorMappings: { unknown: 'Other Error', success: 'Success', 'custom-test': 'Another Error' },
    },
    frequency: '0 0 7 * * *',
    timeZone: 'UTC',
    email: () => ({
      from: 'noreply@example.org',
      to: { name: 'Kim', email: 'kim@example.org' },
      subject: 'Rows',
      text: 'Attached',
    }),
    ...options,
  };
}

/** What a job's row says, where it was filed by {@link Place.file}. */
export function rowOf(key: string, status = 'Success'): Record<string, string> {
  return { First: `first of ${key}`, Second: '2', Status: status };
}
