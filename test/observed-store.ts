import type { Store, StoreMethod } from '../lib/oada/store.js';

export interface Requested {
  readonly method: StoreMethod;
  readonly path: string;
}

/** What is done around a request; `send` makes it. */
export type Around = (requested: Requested, send: () => Promise<unknown>) => Promise<unknown>;

/** The store, with something done around each request. */
export function around(store: Store, hook: Around): Store {
  const wrap =
    <Args extends [string, ...unknown[]], Result>(
      method: StoreMethod,
      send: (...args: Args) => Promise<Result>,
    ) =>
    async (...args: Args): Promise<Result> =>
      (await hook({ method, path: args[0] }, () => send(...args))) as Result;
  return {
    client: store.client,
    check: () => store.check(),
    close: () => store.close(),
    watch: (path) => store.watch(path),
    get: wrap('get', store.get.bind(store)),
    head: wrap('head', store.head.bind(store)),
    put: wrap('put', store.put.bind(store)),
    delete: wrap('delete', store.delete.bind(store)),
    ensure: wrap('ensure', store.ensure.bind(store)),
  };
}
