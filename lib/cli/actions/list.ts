import { checkListRequest, JOB_LISTS, listJobs } from '../../operator/list-jobs.js';
import type { JobListName, JobPage, ListRequest } from '../../operator/list-jobs.js';
import type { JobSummary } from '../../operator/job-summary.js';
import { orUsage, usageOf } from '../failure.js';
import type { Invocation } from '../invocation.js';
import type { Column, Part } from '../output.js';
import { openSession } from '../session.js';
import type { Session } from '../session.js';
import type { ServiceFlags } from '../settings.js';
import { expected } from '../../options.js';
import { lengthOf, nameOf, problemOf, progressOf, stateOf, timeText } from '../wording.js';

export interface ListFlags extends ServiceFlags {
  readonly type?: string;
  readonly owner?: string;
  readonly day?: string;
  readonly failureType?: string;
  readonly text?: string;
  readonly limit: number;
  readonly after?: string;
  readonly all?: boolean;
}

interface Cell extends Column {
  readonly of: (job: JobSummary) => Part;
}

const JOB: Cell = { title: 'JOB', of: nameOf };
const TYPE: Cell = { title: 'TYPE', of: ({ type }) => type };
const OWNER: Cell = { title: 'OWNER', of: ({ owner = '' }) => owner };
const STARTED: Cell = { title: 'STARTED (UTC)', of: ({ started }) => timeText(started) };
const FINISHED: Cell = { title: 'FINISHED (UTC)', of: ({ finished }) => timeText(finished) };
const TOOK: Cell = { title: 'TOOK', of: ({ duration }) => lengthOf(duration) };

const CELLS: Readonly<Record<JobListName, readonly Cell[]>> = Object.freeze({
  pending: [
    JOB,
    TYPE,
    { title: 'STATE', of: ({ state }) => stateOf(state) },
    OWNER,
    { title: 'PRIORITY', of: ({ priority }) => (priority === 0 ? '' : String(priority)) },
    { title: 'NOT BEFORE (UTC)', of: ({ startAfter }) => timeText(startAfter) },
    { title: 'ATTEMPTS', of: ({ attempts }) => (attempts === 0 ? '' : String(attempts)) },
  ],
  running: [
    JOB,
    TYPE,
    OWNER,
    STARTED,
    { title: 'INSTANCE', of: ({ instance = '' }) => instance },
    { title: 'PROGRESS', isFlexible: true, of: ({ progress }) => progressOf(progress) },
  ],
  success: [JOB, TYPE, OWNER, FINISHED, TOOK],
  failure: [JOB, TYPE, OWNER, FINISHED, TOOK, { title: 'ERROR', isFlexible: true, of: problemOf }],
});

export async function showJobs(cli: Invocation, list: string, flags: ListFlags): Promise<void> {
  const { output } = cli;
  const name = listNamed(list);
  orUsage(() => {
    checkListRequest(requestOf(name, flags));
  });
  const session = await openSession(cli, flags);
  const found: JobSummary[] = [];
  let looked = 0;
  let next: string | undefined;
  for await (const page of pagesOf(session, name, flags)) {
    next = page.next;
    looked += page.looked;
    if (flags.json === true) for (const job of page.jobs) output.json(job);
    else found.push(...page.jobs);
    if (flags.all !== true) break;
  }
  if (found.length > 0) await printTable(cli, name, found);
  else if (flags.json !== true)
    output.note(noneOf(session.service, name, next === undefined ? undefined : looked));
  if (next !== undefined && flags.all !== true)
    output.note(
      `${found.length > 0 || flags.json === true ? 'More' : 'Go on'}: --after '${next}', or --all.`,
    );
}

function requestOf(
  list: JobListName,
  { type, owner, day, failureType, text, limit }: ListFlags,
): ListRequest {
  return { list, type, owner, day, failureType, text, limit };
}

async function* pagesOf(
  { deps, lists }: Session,
  list: JobListName,
  flags: ListFlags,
): AsyncGenerator<JobPage> {
  const request = requestOf(list, flags);
  for (let cursor = flags.after; ;) {
    const page = await usageOf(listJobs(deps, { ...request, after: cursor }, lists));
    yield page;
    if (page.next === undefined) return;
    cursor = page.next;
  }
}

async function printTable(
  { output }: Invocation,
  list: JobListName,
  jobs: readonly JobSummary[],
): Promise<void> {
  const columns = CELLS[list].filter(
    // Of what no job has there is no column.
    ({ of }) => of === JOB.of || jobs.some((job) => textOf(of(job)) !== ''),
  );
  await output.table(
    columns,
    jobs.map((job) => columns.map(({ of }) => of(job))),
  );
}

/** @param looked how many were looked at, where there are more */
export function noneOf(service: string, list: JobListName, looked: number | undefined): string {
  if (looked === undefined) return `${service}: no such jobs (${list}).`;
  return `${service}: none among the ${looked} looked at (${list}), and there are more.`;
}

function textOf(part: Part): string {
  return typeof part === 'string' ? part : part.text;
}

function listNamed(name: string): JobListName {
  return orUsage(() => {
    const list = JOB_LISTS.find((one) => one === name);
    if (list === undefined) throw expected('list', JOB_LISTS.join(', '), name);
    return list;
  });
}
