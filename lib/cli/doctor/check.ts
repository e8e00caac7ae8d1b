export type CheckState = 'ok' | 'warn' | 'fail';

/** What was looked at, and how it is. */
export interface Check {
  readonly check: string;
  readonly state: CheckState;
  readonly found: string;
  /** What to do; where there is something to be done. */
  readonly advice?: string;
}

export function ok(check: string, found: string): Check {
  return { check, state: 'ok', found };
}

export function warn(check: string, found: string, advice: string): Check {
  return { check, state: 'warn', found, advice };
}

export function fail(check: string, found: string, advice: string): Check {
  return { check, state: 'fail', found, advice };
}
