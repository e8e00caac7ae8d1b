import type { JobUpdate } from '../operator/job-summary.js';
import type { Output } from './output.js';
import { metaOf, stateOf, timeText } from './wording.js';

export function printUpdate(output: Output, { time, status, meta }: JobUpdate, indent: string): void {
  const said = metaOf(meta);
  const when = { text: timeText(time), style: 'dim' } as const;
  output.line(indent, when, '  ', stateOf(status), said === '' ? '' : `  ${said}`);
}
