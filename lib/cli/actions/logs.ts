import { StoreError } from '../../errors.js';
import { isFinalDocument } from '../../job.js';
import type { JsonObject } from '../../json.js';
import { followJob } from '../../operator/follow.js';
import { updatesOf } from '../../operator/job-summary.js';
import type { Invocation } from '../invocation.js';
import { printUpdate } from '../job-log.js';
import { jobNamed } from '../named-job.js';
import { openSession } from '../session.js';
import type { Session } from '../session.js';
import type { ServiceFlags } from '../settings.js';
import { lengthOf } from '../wording.js';

export interface LogsFlags extends ServiceFlags {
  readonly follow?: boolean;
}

export async function printLogs(cli: Invocation, name: string, flags: LogsFlags): Promise<void> {
  const { output } = cli;
  const session = await openSession(cli, flags);
  const { id, document } = await jobNamed(session, name);
  const seen = new Set<string>();
  const print = ({ updates }: JsonObject): void => {
    for (const update of updatesOf(updates)) {
      if (seen.has(update.key)) continue;
      seen.add(update.key);
      if (flags.json === true) output.json(update);
      else printUpdate(output, update, '');
    }
  };
  print(document);
  if (flags.follow === true && !isFinalDocument(document)) await follow(cli, session, id, print);
  else if (seen.size === 0) output.note('Nothing is logged yet.');
}

/** Until the job is over. */
async function follow(
  cli: Invocation,
  { deps }: Session,
  id: string,
  print: (document: JsonObject) => void,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const end = followJob(deps, id, {
      changed: (document) => {
        print(document);
        if (isFinalDocument(document)) resolve();
      },
      lost: (error, retryIn) => {
        const isGone = error instanceof StoreError && !error.retryable;
        if (isGone) reject(error);
        else cli.output.warn(`${error.message} Trying again within ${lengthOf(retryIn)}.`);
      },
    });
    end.then((stop) => {
      cli.defer(stop);
    }, reject);
  });
}
