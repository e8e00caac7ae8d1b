import type { Claim } from './claim.js';
import { StoreError } from './errors.js';
import type { Json, JsonObject } from './json.js';
import { insist } from './storing.js';
import type { StoringDeps } from './storing.js';
import type { UpdateWriter } from './update-writer.js';

/** The update that says what becomes of a job. */
export type LastUpdate = readonly [status: string, meta: Json];

export interface Ending {
  readonly updates: UpdateWriter;
  readonly last: LastUpdate;
  /** Told where what was logged is lost. */
  readonly onRefused: (error: StoreError) => void;
}

/**
 * Writes what becomes of a job after a run, together with what was logged and is not stored yet; if the store refuses
 * that, without: what a work function logs decides nothing.
 *
 * @returns what was written; undefined where the job is no longer ours
 * @throws {StoreError}
 */
export async function writeEnd(
  claim: Claim,
  patch: JsonObject,
  { updates, last, onRefused }: Ending,
  deps: StoringDeps,
): Promise<JsonObject | undefined> {
  const logged = updates.take().updates;
  const own = updates.take(...last).updates;
  const all = { ...patch, updates: logged === undefined ? { ...own } : { ...logged, ...own } };
  try {
    return (await insist(() => claim.decide(all), deps)) ? all : undefined;
  } catch (error) {
    const isRefused = error instanceof StoreError && error.code === 'OADA_JOBS_STORE_REFUSED';
    if (!isRefused || logged === undefined) throw error;
    const bare = { ...patch, updates: { ...own } };
    if (!(await insist(() => claim.decide(bare), deps))) return undefined;
    onRefused(error);
    return bare;
  }
}
