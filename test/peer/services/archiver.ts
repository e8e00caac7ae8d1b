// A sync service as those were written for @oada/jobs 5: a logger of the process, typed failures, and work in functions of its own.
/* eslint-disable @typescript-eslint/no-floating-promises -- the log that version 5 gave to work functions returned nothing */
import { connect } from '@oada/client';
import { JobError, Service } from '@oada/jobs';
import type { Job, JobId, Json, WorkerContext, WorkerFunction } from '@oada/jobs';
import { pino } from 'pino';

const log = pino({ base: { service: 'archiver' }, level: 'debug' });

interface ArchiveConfig {
  doc: { _id: string };
  archive: string;
}

/** Tells how long a stage took. */
async function timed<T>(log: WorkerContext['log'], stage: string, work: () => Promise<T>): Promise<T> {
  const begun = performance.now();
  try {
    const result = await work();
    log.info({ stage, duration: Math.round(performance.now() - begun) }, 'stage completed');
    return result;
  } catch (error: unknown) {
    log.error({ err: error, stage }, 'stage failed');
    throw error;
  }
}

const archived = new Map<string, JobId>();

async function archive(job: Job, { jobId, log, oada }: WorkerContext): Promise<Json> {
  const { doc, archive } = job.config as unknown as ArchiveConfig;
  const child = log.child({ archive });
  child.debug('Archiving %s', doc._id);
  try {
    const { data } = (await timed(child, 'fetch', async () =>
      oada.get({ path: `/${doc._id}` }),
    )) as unknown as {
      data: { title?: string };
    };
    if (data.title === undefined) throw new JobError(`${doc._id} has no title`, 'no-title');
    archived.set(doc._id, jobId);
    job.config['archived'] = data.title;
    return job.config;
  } catch (error: unknown) {
    log.error(error, `Could not archive ${doc._id}`);
    throw error;
  }
}

const count: WorkerFunction = async () => archived.size;

const { domain = '', token = '' } = process.env;
const oada = await connect({ domain, token });
const service = new Service({
  name: 'archiver',
  oada,
  log,
  concurrency: 3,
  opts: { skipQueueOnStartup: false },
});
service.on('archive', 60_000, archive);
service.on('count', 1000, count);

process.once('SIGTERM', () => {
  void service
    .stop()
    .then(async () => oada.disconnect())
    .then(() => process.exit());
});

await service.start();
console.log('ready');
