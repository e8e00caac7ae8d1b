export const NAME = 'chaos';
export const TOKEN = 'chaos';

/** What an instance writes of its runs, outside of the store. */
export interface Line {
  readonly what: 'started' | 'waits' | 'stored' | 'took over' | 'skipped';
  readonly at: number;
  readonly pid: number;
  readonly key: string;
  readonly attempt?: number;
  readonly jobs?: number;
  readonly reason?: string;
}
