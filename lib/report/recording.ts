import debug from 'debug';

import { waitAtMost } from '../clock.js';
import { ConfigError, toError } from '../errors.js';
import type { Listener } from '../events.js';
import { isJsonObject, toJson } from '../json.js';
import type { Store } from '../oada/store.js';
import { readJob } from './candidates.js';
import { resolveReport } from './options.js';
import type { ReportOptions } from './options.js';
import { adoptReports, shareReports } from './place.js';
import { Report } from './report.js';
import type { ReportDeps } from './report.js';
import { endingAt, endingOf, placeOf } from './row.js';
import type { Place } from './row.js';

const log = debug('oada-jobs:report');

/** A job whose document reports want to see. */
interface Wanted {
  readonly jobId: string;
  readonly place: Place;
  readonly status: 'success' | 'failure';
  readonly reports: readonly Report[];
}

/** How long a service waits for its reports: they can also begin while it takes jobs. */
const LONGEST_START_MS = 10_000;
/** How many documents are read at once. */
const AT_ONCE = 10;
/** How many jobs wait to be read; more are read when their period ends. */
const MOST_WAITING = 1000;

/** The reports of a service, and how they learn of its jobs: each is read once, whoever wants it. */
export class Reports {
  readonly #deps: ReportDeps;
  readonly #reports = new Map<string, Report>();
  readonly #waiting: Wanted[] = [];
  #reading = 0;
  #store: Store | undefined;

  constructor(deps: ReportDeps) {
    this.#deps = deps;
  }

  /**
   * Adds a report. It starts together with the service, or at once where that runs.
   *
   * @throws {ConfigError} an option is wrong, or there is a report of that name
   */
  add(options: ReportOptions): Report {
    const config = resolveReport(options, this.#deps.clock.now());
    if (this.#reports.has(config.name))
      throw new ConfigError(`this service has a report ${config.name} already`);
    const report = new Report(config, this.#deps);
    this.#reports.set(config.name, report);
    if (this.#store !== undefined) void report.attach(this.#store);
    return report;
  }

  get(name: string): Report | undefined {
    return this.#reports.get(name);
  }

  /**
   * To be called before the service takes jobs: what is finished by then belongs to no period of a new report. Resolves
   * when that is known, or could not be found out at once. Never rejects.
   *
   * @param store of the service's own queue
   */
  async start(store: Store): Promise<void> {
    this.#store = store;
    this.#deps.events.on('job:filed', this.#onFiled);
    const known = this.#attach(store);
    await waitAtMost(this.#deps.clock, LONGEST_START_MS, known);
  }

  async #attach(store: Store): Promise<void> {
    if (this.#reports.size > 0) await adoptReports(store, this.#deps.paths);
    await Promise.all([...this.#reports.values()].map((report) => report.attach(store)));
  }

  /** To be called when the lists of the service are there. */
  async share(): Promise<void> {
    if (this.#reports.size > 0 && this.#store !== undefined)
      await shareReports(this.#store, this.#deps.paths);
  }

  async stop(): Promise<void> {
    this.#store = undefined;
    this.#waiting.length = 0; // they are read when their period ends
    this.#deps.events.off('job:filed', this.#onFiled);
    await Promise.all([...this.#reports.values()].map((report) => report.detach()));
  }

  readonly #onFiled: Listener<'job:filed'> = ({ queue, jobId, type, status, path }) => {
    const place = placeOf(path);
    if (queue !== 'default' || place === undefined) return;
    const reports = [...this.#reports.values()].filter((report) => report.heard(type, place, jobId));
    if (reports.length === 0 || this.#waiting.length >= MOST_WAITING) return;
    this.#waiting.push({ jobId, place, status, reports });
    if (this.#reading < AT_ONCE) void this.#readAll();
  };

  async #readAll(): Promise<void> {
    this.#reading++;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      // What cannot be read or written now is made good when the period ends.
      await this.#read(next).catch((error: unknown) => log('%s', toError(error).stack));
    }
    this.#reading--;
  }

  async #read({ jobId, place, status, reports }: Wanted): Promise<void> {
    if (this.#store === undefined) return;
    const job = await readJob(this.#store, jobId);
    if (!isJsonObject(job)) return;
    const ending = endingOf(job, status);
    // Nobody waits for the writes: so several jobs come together in one.
    for (const report of reports) {
      report.record(job, place, ending, jobId).catch((error: unknown) => log('%s', toError(error).stack));
    }
  }
}

/**
 * Writes the row of a job into a report, as if the report had heard of it: for jobs that no queue has filed.
 *
 * @param job its document
 * @param path where it stands in the lists of finished jobs: `/day-index/<date>/<key>` for a success, or
 * `/<failure type>/day-index/<date>/<key>`
 * @throws {ConfigError} the path or the job is none
 * @throws {LifecycleError} the report does not run
 * @throws {StoreError} the row could not be stored
 */
export async function reportOnItem(report: Report, job: object, path: string): Promise<void> {
  const place = placeOf(path);
  if (place === undefined)
    throw new ConfigError(`expected \`path\` to be like /day-index/<date>/<key>, got ${path}`);
  const document = toJson(job, Infinity);
  if (!isJsonObject(document)) throw new ConfigError("expected `job` to be a job's document");
  await report.record(document, place, endingAt(place.before));
}
