import { Children } from './children.js';
import type { ChildrenDeps } from './children.js';
import { ignoreStoreError } from './errors.js';
import { Progress } from './progress.js';
import type { WorkerContext } from './worker.js';

/** What of a run's context has to do with other jobs, and with how far it is. */
export type FamilyContext = Pick<WorkerContext, 'progress' | 'spawn' | 'children' | 'all' | 'allSettled'>;

export interface FamilyDeps extends Omit<ChildrenDeps, 'progress' | 'signal'> {
  /** Hides what must not be stored. */
  readonly redact: (text: string) => string;
}

/** A job that runs, its children, and how far they are. */
export class Family {
  readonly #deps: FamilyDeps;
  readonly #progress: Progress;
  #children: Children | undefined;

  constructor(deps: FamilyDeps) {
    const { job, clock, redact, write } = deps;
    this.#deps = deps;
    this.#progress = new Progress({ clock, redact, known: job.progress, write });
  }

  /** @param signal of the run */
  context(signal: AbortSignal): FamilyContext {
    const children = new Children({ ...this.#deps, progress: this.#progress, signal });
    this.#children = children;
    return {
      progress: (done, total, message) => {
        this.#progress.report(done, total, message);
      },
      spawn: (type, config, options) => children.spawn(type, config, options),
      children: () => children.states(),
      all: (some) => children.all(some),
      allSettled: (some) => children.allSettled(some),
    };
  }

  /** What of the progress is still to be written, with what is written last. */
  take(): ReturnType<Progress['take']> {
    return this.#progress.take();
  }

  /** The run has failed: its children are of no use any more. */
  async cancelChildren(): Promise<void> {
    await this.#children?.cancel().catch(ignoreStoreError); // they are run for nothing then
  }
}
