import { cancelChildren } from './child-states.js';
import { Children } from './children.js';
import type { ChildrenDeps } from './children.js';
import type { Claim } from './claim.js';
import type { Stint } from './clock.js';
import { ignoreStoreError } from './errors.js';
import type { JsonObject } from './json.js';
import { Progress } from './progress.js';
import type { WorkerContext } from './worker.js';

/** What of a run's context has to do with other jobs, and with how far it is. */
export type FamilyContext = Pick<WorkerContext, 'progress' | 'spawn' | 'children' | 'all' | 'allSettled'>;

/** A run of a job. */
export interface FamilyRun extends Pick<
  ChildrenDeps,
  'job' | 'generation' | 'document' | 'layout' | 'lease'
> {
  readonly claim: Pick<Claim, 'add' | 'decide'>;
  /** Hides what must not be stored. */
  readonly redact: (text: string) => string;
}

export type FamilyDeps = Omit<ChildrenDeps, keyof FamilyRun | 'progress' | 'signal' | 'stint'>;

/** A job that runs, its children, and how far they are. */
export class Family {
  readonly #run: FamilyRun;
  readonly #deps: FamilyDeps;
  readonly #progress: Progress;
  /** Made when the work asks for them: most jobs have none. */
  #children: Children | undefined;
  #isOver = false;

  constructor(run: FamilyRun, deps: FamilyDeps) {
    const { job, redact, claim } = run;
    this.#run = run;
    this.#deps = deps;
    // One that was taken for dead, and is not, must not take back what has been written since.
    const write = (patch: JsonObject): Promise<boolean> => claim.decide(patch);
    this.#progress = new Progress({ clock: deps.clock, redact, known: job.progress, write });
  }

  /** @param signal and `stint`: those of the run */
  context(signal: AbortSignal, stint: Stint): FamilyContext {
    const children = (): Children => (this.#children ??= this.#makeChildren(signal, stint));
    return {
      progress: (done, total, message) => {
        this.#progress.report(done, total, message);
      },
      spawn: (type, config, options) => children().spawn(type, config, options),
      children: () => children().states(),
      all: (some) => children().all(some),
      allSettled: (some) => children().allSettled(some),
    };
  }

  #makeChildren(signal: AbortSignal, stint: Stint): Children {
    const children = new Children({ ...this.#deps, ...this.#run, progress: this.#progress, signal, stint });
    if (this.#isOver) void children.settled(); // somebody asks too late
    return children;
  }

  /** The run is over. Resolves when nothing is on its way any more. */
  async settled(): Promise<void> {
    this.#isOver = true;
    await Promise.all([this.#progress.settled(), this.#children?.settled()]);
  }

  /** What of the progress is still to be written, with what is written last. */
  take(): ReturnType<Progress['take']> {
    return this.#progress.take();
  }

  /** The run has failed: its children are of no use any more. */
  async cancelChildren(): Promise<void> {
    const cancelled = this.#children?.cancel() ?? cancelChildren(this.#run.document, this.#deps);
    await cancelled.catch(ignoreStoreError); // they are run for nothing then
  }
}
