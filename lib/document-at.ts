import { unlessMissing } from './errors.js';
import type { Json } from './json.js';
import type { Store } from './oada/store.js';

/** What stands at a path, for what may not be there: undefined then. */
export async function documentAt(store: Pick<Store, 'get'>, path: string): Promise<Json | undefined> {
  return (await unlessMissing(store.get(path)))?.data;
}
