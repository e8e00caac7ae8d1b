import type { OADAClient } from '@oada/client';

import { parseJson } from './json.js';
import { resourceIdAt } from './oada/location.js';
import { ensureList } from './oada/store.js';
import { JOB_TYPE, link, TREE } from './paths.js';

/** What a producer writes; the rest of a job's document is the service's. */
export interface NewJob {
  readonly service: string;
  readonly type: string;
  readonly config?: object;
  /** Higher goes first; 0 by default. */
  readonly priority?: number;
  /** The job is not run before then. ISO 8601, in UTC. */
  readonly startAfter?: string;
}

/**
 * Posts a job: makes it a resource, and links it in the pending list, which is made where it is missing.
 *
 * @param path the pending list: `/bookmarks/services/<service>/jobs`
 * @returns the job's resource, like `resources/abc`, and its key in the list
 */
export async function postJob(
  oada: OADAClient,
  path: string,
  job: NewJob,
): Promise<{ _id: string; key: string }> {
  await ensureList(oada, path, TREE);
  const data = parseJson(JSON.stringify(job));
  const posted = await oada.post({ path: '/resources', data, contentType: JOB_TYPE });
  const _id = resourceIdAt(posted.headers);
  const key = _id.slice('resources/'.length);
  await oada.put({ path: `${path}/${key}`, data: link(_id), contentType: 'application/json' });
  return { _id, key };
}
