import type { JobSummary, JobView } from '../../api.js';

export function isOpen({ state }: Pick<JobSummary, 'state'>): boolean {
  return state === 'waiting' || state === 'running';
}

/** What the page of a job shows may still change. What is not listed of its children may be gone, and does not count. */
export function mayChange({
  state,
  childSummaries,
}: {
  readonly state: JobSummary['state'];
  readonly childSummaries: readonly Pick<JobView['childSummaries'][number], 'state'>[];
}): boolean {
  return isOpen({ state }) || childSummaries.some(isOpen);
}
