import type { JobSummary } from '../../api.js';
import type { ListName } from '../route.js';

export type Deed = 'retry' | 'cancel' | 'rerun' | 'delete';

/** What can be done to the jobs of a list: only those that are over can be deleted. */
export function deedsOfList(list: ListName): readonly Deed[] {
  switch (list) {
    case 'pending':
    case 'running':
      return ['cancel'];
    case 'success':
      return ['rerun', 'delete'];
    case 'failure':
      return ['retry', 'delete'];
  }
}

/** What can be done to a job as it is. */
export function deedsOfState(state: JobSummary['state'], isRetried: boolean): readonly Deed[] {
  switch (state) {
    case 'waiting':
    case 'running':
      return ['cancel'];
    case 'success':
      return ['rerun', 'delete'];
    case 'failure':
      return [isRetried ? 'rerun' : 'retry', 'delete'];
  }
}
