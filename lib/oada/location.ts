import { StoreError } from '../errors.js';

/**
 * The id of the resource that an answer is about.
 *
 * @throws {StoreError} the answer does not say
 */
export function resourceIdAt(headers: Readonly<Record<string, string>>): string {
  const location = headers['content-location'] ?? '';
  const id = /^\/(resources\/[^/]+)$/.exec(location)?.[1];
  if (id !== undefined) return id;
  throw new StoreError(
    'OADA_JOBS_STORE_REFUSED',
    `The store did not say which resource it made, but ${JSON.stringify(location)}`,
    {
      path: location,
    },
  );
}
