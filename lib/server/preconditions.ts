import { Refusal } from './errors.js';
import { etagOf } from './resource.js';
import type { Resource } from './resource.js';

type Headers = Readonly<Record<string, string | undefined>>;

/**
 * Checks `If-Match` and `If-None-Match` of a write. As in the reference server only full ETags count, several are
 * separated by a comma and a blank, and `*` matches nothing.
 *
 * @throws {Refusal} 412
 */
export function checkWritePreconditions(headers: Headers, { id, header }: Resource): void {
  const current = header.exists ? etagOf(id, header.rev) : undefined;
  const ifMatch = etagsOf(headers['if-match']);
  if (ifMatch !== undefined && (current === undefined || !ifMatch.includes(current))) {
    throw new Refusal(412, 'If-Match header does not match current resource _rev');
  }
  const ifNoneMatch = etagsOf(headers['if-none-match']);
  if (current !== undefined && ifNoneMatch?.includes(current) === true) {
    throw new Refusal(412, 'If-None-Match header contains current resource _rev');
  }
}

/**
 * The same for a read.
 *
 * @returns true where the reader has the current revision already (304)
 * @throws {Refusal} 412
 */
export function isUnchanged(headers: Headers, { id, header }: Resource): boolean {
  const current = etagOf(id, header.rev);
  if (etagsOf(headers['if-match'])?.includes(current) === false) {
    throw new Refusal(412, 'If-Match header does not match current resource');
  }
  return etagsOf(headers['if-none-match'])?.includes(current) === true;
}

function etagsOf(header: string | undefined): string[] | undefined {
  return header?.split(', ').map((etag) => etag.replace(/^W\//, ''));
}
