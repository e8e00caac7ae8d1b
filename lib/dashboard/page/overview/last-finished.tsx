import type { JSX } from 'preact';
import { useState } from 'preact/hooks';

import type { JobSummary } from '../../api.js';
import { getJobs } from '../client.js';
import { Empty } from '../elements/notice.js';
import { JobTable } from '../jobs/job-table.js';
import { useLiveEvent } from '../live.js';
import { useLiveLoad } from '../load.js';
import { linkTo } from '../route.js';
import type { Place } from '../route.js';

const MOST = 12;
/** Of each list, before any is told of. */
const FIRST = 6;

const ORIGIN =
  'Those that finished while this page is open; of those before, some of the latest day, taken by their keys';

/** Sorted by when they finished. */
export function LastFinished({ place }: { readonly place: Place }): JSX.Element {
  const [filed, setFiled] = useState<readonly JobSummary[]>([]);
  const before = useLiveLoad('last finished', (signal) => readLast(place, signal));
  useLiveEvent('finished', (jobs) => setFiled((known) => newest([...known, ...jobs])));
  const shown = newest([...(before.data ?? []), ...filed]);
  return (
    <section class="panel" aria-label="Last finished">
      <h2 title={ORIGIN}>
        Last finished
        <a class="more" href={linkTo(place, { name: 'jobs', list: 'success' })}>
          all
        </a>
      </h2>
      {shown.length === 0 ? (
        <Empty icon="jobs" title={before.isLoading ? 'Looking …' : 'None yet'}>
          Jobs show up here as they are filed.
        </Empty>
      ) : (
        <JobTable place={place} caption="Jobs that finished last" jobs={shown} list="mixed" />
      )}
    </section>
  );
}

async function readLast(place: Place, signal: AbortSignal): Promise<readonly JobSummary[]> {
  const [success, failure] = await Promise.all([
    getJobs(place, { list: 'success', limit: FIRST }, signal),
    getJobs(place, { list: 'failure', limit: FIRST }, signal),
  ]);
  return [...success.jobs, ...failure.jobs];
}

/** Each once. */
function newest(jobs: readonly JobSummary[]): readonly JobSummary[] {
  const byId = new Map(jobs.map((job) => [job.id, job]));
  return [...byId.values()]
    .toSorted((one, other) => ((one.finished ?? '') > (other.finished ?? '') ? -1 : 1))
    .slice(0, MOST);
}
