import type { ActionResult, JobsAction, ListRequest } from '../../api.js';
import { actOnJobs } from '../client.js';
import { confirm } from '../elements/dialog.js';
import { later, tell, tellProblem } from '../elements/toasts.js';
import { counted } from '../format.js';
import { linkTo } from '../route.js';
import { goTo } from '../router.js';
import type { Place } from '../route.js';
import type { Deed } from './deeds.js';

interface Words {
  readonly label: string;
  /** Of what was done to so many jobs. */
  readonly done: string;
  readonly doing: string;
  /** Asked before it is done to some. */
  readonly question: (jobs: string) => { readonly title: string; readonly text: string };
}

export const WORDS: Readonly<Record<Deed, Words>> = {
  retry: {
    label: 'Retry',
    done: 'to be retried',
    doing: 'Retrying',
    question: (jobs) => ({
      title: `Retry ${jobs}?`,
      text: 'Each failure is done again by a new job, once. Those that have been retried already are left alone.',
    }),
  },
  cancel: {
    label: 'Cancel',
    done: 'asked to stop',
    doing: 'Cancelling',
    question: (jobs) => ({
      title: `Cancel ${jobs}?`,
      text: 'What runs is told to stop, and what waits is not begun. They are filed as failures of the type “cancelled”.',
    }),
  },
  rerun: {
    label: 'Run again',
    done: 'to be run again',
    doing: 'Running again',
    question: (jobs) => ({
      title: `Run ${jobs} again?`,
      text: 'A new job with the same config is made for each, also where that has been done before.',
    }),
  },
  delete: {
    label: 'Delete',
    done: 'deleted',
    doing: 'Deleting',
    question: (jobs) => ({
      title: `Delete ${jobs}?`,
      text: 'They go with all that is known of them: config, result and log. Nothing brings them back.',
    }),
  },
};

/** It was tried, and what is shown may be out of date. True: it was done to each of the jobs. */
type OnDone = (isDone: boolean) => void;

interface Act {
  readonly place: Place;
  readonly deed: Deed;
  readonly ids: readonly string[];
  readonly onDone: OnDone;
}

/** Asks, then does it: what can be put off can be called off for a while, but who cancels is in a hurry. */
export async function actOnMany({ place, deed, ids, onDone }: Act): Promise<void> {
  const { label, question, doing } = WORDS[deed];
  const jobs = counted(ids.length, 'job');
  const isYes = await confirm({
    ...question(jobs),
    action: label,
    isDangerous: deed === 'delete' || deed === 'cancel',
  });
  if (!isYes) return;
  const act = (keepalive: boolean): void => void send(place, { action: deed, ids }, { onDone, keepalive });
  if (deed === 'cancel') act(false);
  else later(`${doing} ${jobs} …`, act);
}

/** As {@link actOnMany}; what does no harm is done at once. */
export async function actOnOne({ place, deed, ids, onDone }: Act): Promise<void> {
  if (deed === 'retry' || deed === 'rerun') await send(place, { action: deed, ids }, { onDone });
  else await actOnMany({ place, deed, ids, onDone });
}

type Filter = Omit<ListRequest, 'list' | 'limit' | 'after'>;

interface RetryAll {
  readonly place: Place;
  readonly filter: Filter;
  /** How many are known to fit; undefined: there may be more than are shown. */
  readonly fitting: number | undefined;
  readonly onDone: OnDone;
}

export async function retryAll({ place, filter, fitting, onDone }: RetryAll): Promise<void> {
  const told = Object.entries(filter).flatMap(([name, value]) =>
    value === undefined || value === ''
      ? []
      : [`${name === 'failureType' ? 'failure type' : name} “${value}”`],
  );
  const all = told.length === 0 ? 'all failures' : 'all failures that fit the filter';
  const title = `Retry ${all}?`;
  const which =
    told.length === 0 ? 'Of all days and types, however many there are' : `Those with ${told.join(', ')}`;
  const number =
    fitting === undefined ? 'also those that are on no page yet' : `${counted(fitting, 'job')} now`;
  const text = `${which}, ${number}: each is done again by a new job, once. This may take a while.`;
  if (!(await confirm({ title, text, action: 'Retry all' }))) return;
  later(
    `Retrying ${all} …`,
    (keepalive) => void send(place, { action: 'retry', filter }, { onDone, keepalive }),
  );
}

interface Sending {
  readonly onDone: OnDone;
  readonly keepalive?: boolean;
}

async function send(place: Place, action: JobsAction, { onDone, keepalive = false }: Sending): Promise<void> {
  let isDone = false;
  try {
    const result = await actOnJobs(place, action, keepalive);
    isDone = result.problems.length === 0;
    report(place, action.action, result);
  } catch (error) {
    tellProblem(error);
  }
  onDone(isDone);
}

function report(place: Place, deed: Deed, { done, before, jobs, problems }: ActionResult): void {
  const [job] = jobs;
  const open = (id: string): { label: string; act: () => void } => ({
    label: 'Open',
    act: () => goTo(linkTo(place, { name: 'job', id })),
  });
  if (done > 0 || problems.length === 0) {
    const earlier = before === 0 ? '' : ` ${counted(before, 'job')} had been retried before.`;
    const text = done === 0 ? 'There was nothing to do.' : `${counted(done, 'job')} ${WORDS[deed].done}.`;
    tell(text + earlier, job !== undefined && jobs.length === 1 ? open(job) : undefined);
  }
  const [problem] = problems;
  if (problem === undefined) return;
  const others = problems.length === 1 ? '' : ` (and ${counted(problems.length - 1, 'more problem')})`;
  tellProblem(new Error(`${problem.message}${others}`));
}
