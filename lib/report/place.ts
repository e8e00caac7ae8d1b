import { documentAt } from '../document-at.js';
import { ignoreStoreError, unlessMissing } from '../errors.js';
import { isJsonObject } from '../json.js';
import type { Store } from '../oada/store.js';
import { link, linkedId, NESTED_PENDING, REPORTS } from '../paths.js';
import type { Paths } from '../paths.js';

/**
 * Reports of @oada/jobs 3 to 5 stand below `jobs`, and their readers look there. Where there are some, they are gone on
 * with: the service's `reports` becomes a second name of theirs.
 */
export async function adoptReports(store: Store, paths: Paths): Promise<void> {
  try {
    if ((await unlessMissing(store.get(paths.reports))) !== undefined) return;
    const id = linkedId(await documentAt(store, paths.nestedReports));
    if (id !== undefined) await store.put(paths.service, { [REPORTS]: link(id) });
  } catch (error) {
    ignoreStoreError(error); // they are made then, and stand below the service alone
  }
}

/** Makes the reports known to such readers, where the nested layout is in use. */
export async function shareReports(store: Store, paths: Paths): Promise<void> {
  try {
    const jobs = await documentAt(store, paths.classic.pending);
    if (!isJsonObject(jobs) || !(NESTED_PENDING in jobs) || REPORTS in jobs) return;
    const id = linkedId(await documentAt(store, paths.reports));
    if (id !== undefined) await store.put(paths.classic.pending, { [REPORTS]: link(id) });
  } catch (error) {
    ignoreStoreError(error); // at the next start
  }
}
