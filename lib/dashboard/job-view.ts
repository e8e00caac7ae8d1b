import { documentAt } from '../document-at.js';
import { isJsonObject } from '../json.js';
import { findJob, retryOf } from '../operator/job-actions.js';
import type { LocatedJob } from '../operator/job-actions.js';
import { detailOf, summaryOf } from '../operator/job-summary.js';
import type { JobDetail } from '../operator/job-summary.js';
import type { ListReader } from '../operator/lists.js';
import type { OperatorDeps } from '../operator/operator-deps.js';
import { linkedId } from '../paths.js';
import type { JobView } from './api.js';
import { orNotFound } from './problem.js';

const MOST_CHILDREN = 1000;
/** How many documents are read at once. */
const AT_ONCE = 50;

/**
 * @param name its id or its key
 * @throws {Refusal} there is no job of that name
 */
export async function locateJob(deps: OperatorDeps, name: string, lists: ListReader): Promise<LocatedJob> {
  return await orNotFound(findJob(deps, name, lists));
}

export async function viewJob(deps: OperatorDeps, name: string, lists: ListReader): Promise<JobView> {
  const { id, key, document } = await locateJob(deps, name, lists);
  const detail = detailOf(id, key, document);
  const [childSummaries, retriedBy] = await Promise.all([
    readChildren(deps, detail),
    detail.state === 'failure' ? retryOf(deps, id) : undefined,
  ]);
  return { ...detail, childSummaries, ...(retriedBy !== undefined && { retriedBy }) };
}

async function readChildren(
  { store }: OperatorDeps,
  { id: parent, children }: JobDetail,
): Promise<JobView['childSummaries']> {
  const read = async ({ name, id }: JobDetail['children'][number]): Promise<JobView['childSummaries']> => {
    const data = await documentAt(store, `/${id}`);
    // It may be another service's.
    if (!isJsonObject(data) || typeof data['service'] !== 'string' || linkedId(data['parent']) !== parent)
      return [];
    return [{ ...summaryOf(id, id.slice('resources/'.length), data), name }];
  };
  const summaries: JobView['childSummaries'][number][] = [];
  for (let from = 0; from < Math.min(children.length, MOST_CHILDREN); from += AT_ONCE)
    summaries.push(...(await Promise.all(children.slice(from, from + AT_ONCE).map(read))).flat());
  return summaries.slice(0, MOST_CHILDREN);
}
