import type { Clock } from '../clock.js';
import type { Store } from '../oada/store.js';
import type { Paths } from '../paths.js';

/** One service in one store, to be looked at and steered from outside: no instance of it has to run here. */
export interface OperatorDeps {
  readonly service: string;
  readonly store: Store;
  readonly paths: Paths;
  readonly clock: Clock;
}
