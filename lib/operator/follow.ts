import { toError } from '../errors.js';
import { isJsonObject } from '../json.js';
import type { JsonObject } from '../json.js';
import { WatchedList } from '../watched-list.js';
import type { OperatorDeps } from './operator-deps.js';

export interface Follower {
  /** The whole document, each time that it has changed. */
  changed(document: JsonObject): void;
  /** The store is away; it is tried again in `retryIn` ms. */
  lost(error: Error, retryIn: number): void;
}

const CHECK_MS = 30_000;

/**
 * Keeps a job's document in view.
 *
 * @param id like `resources/abc`
 * @returns ends it
 * @throws {StoreError} it is not there, say
 */
export async function followJob(
  { store, clock }: OperatorDeps,
  id: string,
  follower: Follower,
): Promise<() => void> {
  const ending = new AbortController();
  let isReading = false;
  let again = false;
  const changed = (document: JsonObject): void => {
    if (!ending.signal.aborted) follower.changed(document);
  };
  const lost = (error: Error, retryIn: number): void => {
    if (!ending.signal.aborted) follower.lost(error, retryIn);
  };
  const read = async (): Promise<void> => {
    again = true;
    if (isReading) return;
    isReading = true;
    try {
      while (again && !ending.signal.aborted) {
        again = false;
        const { data } = await store.get(`/${id}`);
        changed(isJsonObject(data) ? data : {});
      }
    } catch (error) {
      lost(toError(error), CHECK_MS);
    } finally {
      isReading = false;
    }
  };
  const readSoon = (): void => {
    void read();
  };
  const list = new WatchedList({
    ...{ store, clock, path: `/${id}`, checkInterval: CHECK_MS },
    observer: { listed: readSoon, changed: readSoon, removed: readSoon, lost },
  });
  await list.start();
  return () => {
    ending.abort();
    list.stop();
  };
}
