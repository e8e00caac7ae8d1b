import { StoreError, toError } from '../errors.js';
import type { JsonObject } from '../json.js';
import { followJob } from '../operator/follow.js';
import { isJobOf } from '../operator/job-of.js';
import { detailOf, summaryOf } from '../operator/job-summary.js';
import type { OperatorDeps } from '../operator/operator-deps.js';
import type { LiveEvents } from './api.js';
import { Opening } from './opening.js';
import { Paced } from './paced.js';

/** Who looks at jobs. */
export interface JobViewer {
  /** With all that is known of a job, or a summary of it. */
  readonly wants: 'detail' | 'summary';
  job(job: LiveEvents['job']): void;
}

interface FollowedJob {
  readonly key: string;
  readonly viewers: Set<JobViewer>;
  readonly opening: Opening;
  readonly told: Paced;
  end: (() => void) | undefined;
  document: JsonObject | undefined;
}

const PACE_MS = 250;

/** The jobs that pages show: each is followed once, however many look at it. */
export class FollowedJobs {
  readonly #deps: OperatorDeps;
  readonly #keyOf: (id: string) => string;
  readonly #lost: (error: Error) => void;
  readonly #jobs = new Map<string, FollowedJob>();

  /** @param keyOf finds the key of a job */
  constructor(deps: OperatorDeps, keyOf: (id: string) => string, lost: (error: Error) => void) {
    this.#deps = deps;
    this.#keyOf = keyOf;
    this.#lost = lost;
  }

  /** How many are followed. */
  get size(): number {
    return this.#jobs.size;
  }

  /** @returns lets go of it */
  follow(id: string, viewer: JobViewer): () => void {
    const job = this.#jobs.get(id) ?? this.#open(id);
    job.viewers.add(viewer);
    this.#tell(id, job, [viewer]);
    return () => {
      job.viewers.delete(viewer);
      if (job.viewers.size === 0 && this.#jobs.get(id) === job) this.#close(id, job);
    };
  }

  stop(): void {
    for (const [id, job] of this.#jobs) this.#close(id, job);
  }

  #open(id: string): FollowedJob {
    const { clock } = this.#deps;
    const told = new Paced(clock, PACE_MS, () => {
      this.#tell(id, job, job.viewers);
    });
    const opening = new Opening({
      clock,
      open: async () => {
        await this.#follow(id, job);
      },
      onMissing: () => undefined, // it may have been deleted
      onFailed: (error) => {
        this.#lost(error);
      },
    });
    const job: FollowedJob = {
      ...{ key: this.#keyOf(id), viewers: new Set(), opening, told },
      ...{ end: undefined, document: undefined },
    };
    this.#jobs.set(id, job);
    return job;
  }

  async #follow(id: string, job: FollowedJob): Promise<void> {
    const end = await followJob(this.#deps, id, {
      changed: (document) => {
        job.document = document;
        job.told.ask();
      },
      lost: (error) => {
        if (!(error instanceof StoreError && !error.retryable)) this.#lost(toError(error));
      },
    });
    job.end = end;
    if (this.#jobs.get(id) !== job) end(); // everybody has left meanwhile
  }

  #tell(id: string, { key, document }: FollowedJob, viewers: Iterable<JobViewer>): void {
    if (document === undefined || !isJobOf(this.#deps.service, document)) return;
    for (const viewer of viewers)
      viewer.job(viewer.wants === 'detail' ? detailOf(id, key, document) : summaryOf(id, key, document));
  }

  #close(id: string, { opening, told, end }: FollowedJob): void {
    this.#jobs.delete(id);
    opening.stop();
    told.stop();
    end?.();
  }
}
