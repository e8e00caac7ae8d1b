import type { OADAClient } from '@oada/client';

import { systemClock } from '../clock.js';
import { toMilliseconds } from '../duration.js';
import { isJsonObject } from '../json.js';
import { expected, serviceDefaults } from '../options.js';
import { isClient, openStore } from './store.js';
import type { Store } from './store.js';

interface SharedStore {
  readonly store: Store;
  /** How many use it now. */
  users: number;
}

/** Those that are in use. */
const stores = new WeakMap<OADAClient, SharedStore>();

/**
 * Has something done with the store behind a client. All that is done at the same time shares what that takes: around a
 * client that answers no more, a hundred waits need one connection, and not a hundred.
 *
 * @throws {ConfigError} it is no client
 */
export async function withStore<T>(client: OADAClient, work: (store: Store) => Promise<T>): Promise<T> {
  checkClient(client);
  const shared = stores.get(client) ?? { store: open(client), users: 0 };
  stores.set(client, shared);
  shared.users++;
  try {
    return await work(shared.store);
  } finally {
    shared.users--;
    if (shared.users === 0) {
      stores.delete(client);
      await shared.store.close();
    }
  }
}

function open(client: OADAClient): Store {
  const timeout = toMilliseconds(serviceDefaults.requestTimeout, 'requestTimeout');
  return openStore(client, { clock: systemClock, timeout, onRequest: () => undefined });
}

function checkClient(client: unknown): void {
  if (!isJsonObject(client) || !isClient(client)) throw expected('oada', 'a connected client', client);
}
