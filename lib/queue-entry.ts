import { assert as assertQueue } from '@oada/types/oada/service/queue.js';

import { ConfigError } from './errors.js';
import { isJsonObject } from './json.js';
import { storeUrl } from './oada/address.js';
import type { StoreAddress } from './oada/address.js';

/**
 * What an entry of the list of queues says of its store.
 *
 * @throws {ConfigError} it is no queue; the message shows nothing of its token
 */
export function parseQueueEntry(entry: unknown): StoreAddress {
  if (!isJsonObject(entry))
    throw new ConfigError('The entry of the list of queues is no object with a domain and a token.');
  const { domain, token } = entry;
  try {
    assertQueue({ domain, token });
  } catch {
    throw new ConfigError('The entry of the list of queues needs a `domain` and a `token`, both text.');
  }
  if (typeof domain !== 'string' || typeof token !== 'string')
    throw new ConfigError('`domain` and `token` have to be text.');
  storeUrl({ domain, token });
  return { domain, token };
}
