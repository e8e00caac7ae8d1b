import type { Clock } from '../clock.js';
import type { ListReader } from '../operator/lists.js';
import type { OperatorDeps } from '../operator/operator-deps.js';
import { LiveService } from './live-service.js';

interface UsedService {
  readonly live: LiveService;
  users: number;
  /** It is let go of, unless somebody comes. */
  cancelEnd: () => void;
}

/** How long a service is kept in view that nobody looks at: pages are loaded again. */
const LINGER_MS = 60_000;

/** The services that somebody looks at. */
export class LiveServices {
  readonly #clock: Clock;
  readonly #used = new Map<OperatorDeps, UsedService>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many are kept in view. */
  get size(): number {
    return this.#used.size;
  }

  /** Undefined where it is not kept in view. */
  get(deps: OperatorDeps): LiveService | undefined {
    return this.#used.get(deps)?.live;
  }

  /** @param lists reads what is not kept in view */
  use(deps: OperatorDeps, lists: ListReader): { readonly live: LiveService; release(): void } {
    const used = this.#used.get(deps) ?? {
      live: new LiveService(deps, lists),
      users: 0,
      cancelEnd: () => undefined,
    };
    this.#used.set(deps, used);
    used.cancelEnd();
    used.users++;
    let isReleased = false;
    return {
      live: used.live,
      release: () => {
        if (isReleased) return;
        isReleased = true;
        used.users--;
        if (used.users === 0 && this.#used.get(deps) === used) this.#endLater(deps, used);
      },
    };
  }

  stop(): void {
    for (const { live, cancelEnd } of this.#used.values()) {
      cancelEnd();
      live.stop();
    }
    this.#used.clear();
  }

  #endLater(deps: OperatorDeps, used: UsedService): void {
    used.cancelEnd = this.#clock.setTimer(() => {
      this.#used.delete(deps);
      used.live.stop();
    }, LINGER_MS);
  }
}
