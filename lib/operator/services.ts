import { documentAt } from '../document-at.js';
import type { Store } from '../oada/store.js';
import { isServiceName, SERVICES } from '../paths.js';
import { entriesOf } from '../retention/day-lists.js';

/** The names of the services that have records in a store. */
export async function listServices(store: Store): Promise<string[]> {
  const entries = entriesOf(await documentAt(store, SERVICES));
  return entries.flatMap(([name]) => (isServiceName(name) ? [name] : [])).toSorted();
}
