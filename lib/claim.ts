import { StoreError } from './errors.js';
import { claimOf } from './job.js';
import type { ClaimRecord } from './job.js';
import type { JsonObject } from './json.js';
import type { Revision, Store, StoredDocument } from './oada/store.js';

/**
 * One instance's right to run and to file a job, as it stands in the job's document. It is taken, and every outcome
 * written, on the condition that the document is still what was last seen of it: of two that try, one gets a 412.
 */
export class Claim {
  readonly jobId: string;
  readonly record: ClaimRecord;
  readonly #store: Store;
  /** The document as we last left it; undefined once somebody else may have written to it. */
  #last: Revision | undefined;

  private constructor(store: Store, jobId: string, record: ClaimRecord, last: Revision | undefined) {
    this.#store = store;
    this.jobId = jobId;
    this.record = record;
    this.#last = last;
  }

  /**
   * Takes the job by a write that is made only if the document is still as it was seen.
   *
   * @param patch is written along with the claim
   * @returns undefined where somebody else wrote to it meanwhile
   * @throws {StoreError} the answer got lost, say: the job may be ours all the same, which {@link Claim.resume} finds out
   */
  static async take(
    store: Store,
    { jobId, seen, record, patch }: { jobId: string; seen: Revision; record: ClaimRecord; patch: JsonObject },
  ): Promise<Claim | undefined> {
    const claim = new Claim(store, jobId, record, seen);
    const claimed = { ...patch, claim: { ...record }, attempts: record.attempt };
    return (await claim.#writeIfUnchanged(claimed, seen)) ? claim : undefined;
  }

  /** The claim that stands in a document, where it is this instance's own. */
  static resume(store: Store, jobId: string, seen: StoredDocument, instance: string): Claim | undefined {
    const record = claimOf(seen.data);
    return record?.instance === instance ? new Claim(store, jobId, record, seen) : undefined;
  }

  /** Adds to the document, whatever else has become of it. */
  async add(patch: JsonObject): Promise<void> {
    const written = await this.#store.put(`/${this.jobId}`, patch);
    this.#last = this.#last !== undefined && written.rev === this.#last.rev + 1 ? written : undefined;
  }

  /**
   * Writes what only the holder of the claim may write.
   *
   * @returns false where the claim is no longer ours; nothing was written then
   * @throws {StoreError}
   */
  async decide(patch: JsonObject): Promise<boolean> {
    for (;;) {
      if (this.#last === undefined && !(await this.#isOurs())) return false;
      const last = this.#last;
      if (last !== undefined && (await this.#writeIfUnchanged(patch, last))) return true;
    }
  }

  async #writeIfUnchanged(patch: JsonObject, { etag }: Revision): Promise<boolean> {
    try {
      this.#last = await this.#store.put(`/${this.jobId}`, patch, { ifMatch: etag });
      return true;
    } catch (error) {
      this.#last = undefined; // also when no answer came: it may have been written
      if (error instanceof StoreError && error.code === 'OADA_JOBS_STORE_CONFLICT') return false;
      throw error;
    }
  }

  async #isOurs(): Promise<boolean> {
    const { data, ...revision } = await this.#store.get(`/${this.jobId}`);
    const claim = claimOf(data);
    const ours = claim?.instance === this.record.instance && claim.attempt === this.record.attempt;
    this.#last = ours ? revision : undefined;
    return ours;
  }
}
