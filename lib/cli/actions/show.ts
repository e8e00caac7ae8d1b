import { detailOf } from '../../operator/job-summary.js';
import type { JobDetail } from '../../operator/job-summary.js';
import type { Invocation } from '../invocation.js';
import { printUpdate } from '../job-log.js';
import type { Output, Part } from '../output.js';
import { jobNamed } from '../named-job.js';
import { openSession } from '../session.js';
import type { ServiceFlags } from '../settings.js';
import { lengthOf, metaOf, problemOf, progressOf, stateOf, timeText } from '../wording.js';

export async function showJob(cli: Invocation, name: string, flags: ServiceFlags): Promise<void> {
  const { id, key, document } = await jobNamed(await openSession(cli, flags), name);
  const job = detailOf(id, key, document);
  if (flags.json === true) cli.output.json(job);
  else print(cli.output, job);
}

function print(output: Output, job: JobDetail): void {
  const facts: readonly (readonly [string, Part])[] = [
    ['Job', job.id],
    ['Key', job.key],
    ['Type', job.type],
    ['State', stateOf(job.state)],
    ['Owner', job.owner ?? ''],
    ['Started by', job.startedBy === undefined ? '' : metaOf(job.startedBy)],
    ['Parent', job.parent ?? ''],
    ['Priority', job.priority === 0 ? '' : String(job.priority)],
    ['Attempts', String(job.attempts)],
    ['Instance', job.instance ?? ''],
    ['Not before', timeText(job.startAfter)],
    ['Started', timeText(job.started)],
    ['Finished', timeText(job.finished)],
    ['Took', lengthOf(job.duration)],
    ['Progress', progressOf(job.progress)],
    ['Error', problemOf(job)],
  ];
  for (const [name, value] of facts) {
    if (value !== '') output.line({ text: `${name}:`.padEnd(13), style: 'bold' }, value);
  }
  heading(output, 'Config');
  output.block(job.config, 2);
  if (job.result !== undefined) {
    heading(output, 'Result');
    output.block(job.result, 2);
  }
  if (job.children.length > 0) heading(output, 'Children');
  for (const { name, id } of job.children) output.line(`  ${name}  ${id}`);
  if (job.updates.length > 0) heading(output, 'Log');
  for (const update of job.updates) printUpdate(output, update, '  ');
}

function heading(output: Output, text: string): void {
  output.line({ text: `${text}:`, style: 'bold' });
}
