// One instance of the service:  instance.ts DOMAIN TOKEN RUNS LEASE
// Each run of a work function is written to the file RUNS when it begins, and when what came of it is stored.
import { openSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { JobError, retryIn, Service } from '@oada/jobs';
import type { Job, WorkerContext } from '@oada/jobs';

import { NAME } from './names.js';
import type { Line } from './names.js';

const [, , domain = '', token = '', runs = '', lease = ''] = process.argv;
const file = openSync(runs, 'a');

function record(line: Omit<Line, 'at' | 'pid'>): void {
  writeSync(file, `${JSON.stringify({ ...line, at: Date.now(), pid: process.pid })}\n`);
}

interface Config {
  readonly key: string;
  readonly takes: number;
}

type Work = (job: Job<Config>, context: WorkerContext) => unknown;

/** A run that is told of. */
function recorded(work: Work): Work {
  return (job, context) => {
    record({ what: 'started', key: job.config.key, attempt: job.attempts + 1 });
    return work(job, context);
  };
}

const take: Work = async ({ config }) => {
  await sleep(config.takes);
  return { key: config.key };
};
const polled = new Set<string>();

function makeService(): Service {
  const service = new Service({
    name: NAME,
    oada: { domain, token },
    concurrency: 5,
    leaseTimeout: Number(lease),
    checkInterval: '2s',
    requestTimeout: '2s',
    drainTimeout: '2s',
    maxAttempts: 1000, // no job is to blame here
  });
  service.on<Config>('quick', '20s', recorded(take));
  service.on<Config>('slow', '20s', recorded(take));
  service.on<Config>(
    'failing',
    '20s',
    recorded(async ({ config }) => {
      await sleep(config.takes);
      throw new JobError('this is how it ends', 'bad');
    }),
  );
  service.on<Config>(
    'endless',
    '100ms',
    recorded((_job, { signal }) => new Promise((resolve) => signal.addEventListener('abort', resolve))),
  );
  service.on<Config>(
    'second-try',
    { timeout: '20s', retries: { limit: 1000, backoff: '100ms' } },
    recorded(async (job, context) => {
      if (job.attempts === 0) throw new Error('not yet');
      return await take(job, context);
    }),
  );
  // Is run once more by each instance that gets it.
  service.on<Config>(
    'polling',
    '20s',
    recorded((job, context) => {
      if (polled.has(job.config.key)) return take(job, context);
      polled.add(job.config.key);
      return retryIn('200ms');
    }),
  );
  for (const name of ['job:succeeded', 'job:failed', 'job:postponed'] as const) {
    service.events.on(name, ({ key }) => {
      record({ what: 'stored', key });
    });
  }
  service.events.on('instance:lost', ({ jobs }) => {
    record({ what: 'took over', key: '', jobs });
  });
  service.events.on('job:skipped', ({ key, reason }) => {
    record({ what: 'skipped', key, reason });
  });
  return service;
}

process.on('disconnect', () => process.exit());
const service = makeService();
for (;;) {
  try {
    await service.start();
    break;
  } catch {
    await sleep(100);
  }
}
process.on('message', () => {
  void service.stop().finally(() => process.exit());
});
process.send?.('started');
