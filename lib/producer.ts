import type { OADAClient } from '@oada/client';

import type { JsonObject } from './json.js';
import { resourceIdAt } from './oada/location.js';
import { ensureList } from './oada/store.js';
import { JOB_TYPE, link, TREE } from './paths.js';

/** What a producer writes; the rest of a job's document is the service's. */
export interface NewJob {
  readonly service: string;
  readonly type: string;
  readonly config?: JsonObject;
}

/** Lists that are known to be there, for each client. */
const known = new WeakMap<OADAClient, Set<string>>();

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
  const lists = known.get(oada) ?? new Set<string>();
  if (!lists.has(path)) {
    await ensureList(oada, path, TREE);
    known.set(oada, lists.add(path));
  }
  const posted = await oada.post({ path: '/resources', data: { ...job }, contentType: JOB_TYPE });
  const _id = resourceIdAt(posted.headers);
  const key = _id.slice('resources/'.length);
  await oada.put({ path: `${path}/${key}`, data: link(_id), contentType: 'application/json' });
  return { _id, key };
}
