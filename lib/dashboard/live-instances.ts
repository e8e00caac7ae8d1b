import { unlessMissing } from '../errors.js';
import type { Json } from '../json.js';
import { instanceAt, readHeartbeat } from '../operator/instances.js';
import type { Heartbeat, InstanceSummary } from '../operator/instances.js';
import type { OperatorDeps } from '../operator/operator-deps.js';
import { linkedId } from '../paths.js';
import { Paced } from './paced.js';
import { ViewOfList } from './view-of-list.js';

export interface LiveInstancesOptions {
  /** What is known of them may have changed. */
  readonly changed: () => void;
  readonly lost: (error: Error) => void;
}

interface FollowedInstance {
  readonly view: ViewOfList;
  heartbeat: Heartbeat | undefined;
}

/** Should a service leave many dead ones behind, the oldest of them are not followed. */
const MOST_INSTANCES = 200;
/** How late it may be noticed that one is silent. */
const SWEEP_MS = 5000;
const PACE_MS = 500;

/** The instances of a service with their heartbeats, as they come. */
export class LiveInstances {
  readonly #deps: OperatorDeps;
  readonly #options: LiveInstancesOptions;
  readonly #list: ViewOfList;
  /** By their resources. */
  readonly #followed = new Map<string, FollowedInstance>();
  readonly #told: Paced;
  readonly #reading = new Set<Promise<void>>();
  #states = '';
  #cancelSweep: () => void;
  #isStopped = false;

  constructor(deps: OperatorDeps, options: LiveInstancesOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#told = new Paced(deps.clock, PACE_MS, () => {
      options.changed();
    });
    const refresh = (): void => {
      this.#list.refresh().catch(options.lost);
    };
    this.#list = new ViewOfList(deps, {
      path: deps.paths.instances,
      observer: {
        listed: (entries) => {
          this.#arrange(entries);
        },
        changed: refresh,
        removed: refresh,
        lost: options.lost,
      },
    });
    this.#cancelSweep = deps.clock.setTimer(() => {
      this.#sweep();
    }, SWEEP_MS);
  }

  /** Resolves when the heartbeats were read, as far as that was possible. */
  async tried(): Promise<void> {
    await this.#list.tried;
    await Promise.all([...this.#followed.values()].map(({ view }) => view.tried));
    await Promise.all(this.#reading);
  }

  summaries(): InstanceSummary[] {
    const now = this.#deps.clock.now();
    return [...this.#followed.values()].flatMap(({ heartbeat }) =>
      heartbeat === undefined ? [] : [instanceAt(heartbeat, now)],
    );
  }

  look(): void {
    this.#list.look();
  }

  async refresh(): Promise<void> {
    await this.#list.refresh();
    await Promise.all([...this.#followed.values()].map(({ view }) => view.refresh()));
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelSweep();
    this.#told.stop();
    this.#list.stop();
    for (const { view } of this.#followed.values()) view.stop();
    this.#followed.clear();
  }

  #arrange(entries: ReadonlyMap<string, Json>): void {
    const ids = [...entries]
      .toSorted(([one], [other]) => (one < other ? -1 : 1)) // the keys tell when each was started
      .flatMap(([, entry]) => linkedId(entry) ?? [])
      .slice(-MOST_INSTANCES);
    for (const [id, { view }] of this.#followed) {
      if (ids.includes(id)) continue;
      view.stop();
      this.#followed.delete(id);
    }
    for (const id of ids) if (!this.#followed.has(id)) this.#follow(id);
    this.#told.ask();
  }

  #follow(id: string): void {
    const read = (): void => {
      const reading = this.#read(id)
        .catch(this.#options.lost)
        .finally(() => this.#reading.delete(reading));
      this.#reading.add(reading);
    };
    const observer = { listed: read, changed: read, removed: read, lost: this.#options.lost };
    this.#followed.set(id, {
      view: new ViewOfList(this.#deps, { path: `/${id}`, observer }),
      heartbeat: undefined,
    });
  }

  async #read(id: string): Promise<void> {
    const heartbeat = await unlessMissing(readHeartbeat(this.#deps, id));
    const followed = this.#followed.get(id);
    if (followed === undefined || this.#isStopped) return;
    followed.heartbeat = heartbeat;
    this.#told.ask();
  }

  /** Silence is no change of the store. */
  #sweep(): void {
    const states = this.summaries()
      .map(({ instance, state }) => `${instance} ${state}`)
      .join();
    if (states !== this.#states) this.#told.ask();
    this.#states = states;
    this.#cancelSweep = this.#deps.clock.setTimer(() => {
      this.#sweep();
    }, SWEEP_MS);
  }
}
