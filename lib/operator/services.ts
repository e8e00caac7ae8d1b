import { documentAt } from '../document-at.js';
import type { Store } from '../oada/store.js';
import { entriesOf, isServiceName, SERVICES } from '../paths.js';

/** The names of the services that have records in a store. */
export async function listServices(store: Store): Promise<string[]> {
  const names = entriesOf(await documentAt(store, SERVICES)).keys();
  return [...names].filter(isServiceName).toSorted();
}
