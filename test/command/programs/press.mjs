// The script of a thread: does what the job's config says.
import { setInterval, setTimeout } from 'node:timers';
import { threadId } from 'node:worker_threads';

class JobError extends Error {
  name = 'JobError';
  code = 'OADA_JOBS_JOB_FAILED';
  constructor(message, options) {
    super(message, { cause: options.cause });
    this.type = options.type;
    this.retry = options.retry;
  }
}

class RetryRequest {
  delay = 1;
}

const acts = {
  press: ({ apples }) => ({ litres: apples / 2 }),
  tell: (_config, { job, jobId }) => ({ job, jobId, threadId }),
  nothing: () => undefined,
  log: async (_config, { log }) => {
    await log.info('washed', { water: 3 });
    log.error('bruised', new TypeError('soft'));
    log.debug('hidden');
    log.trace('hidden');
    log.info({ odd: true });
    log.info('big', 10n);
  },
  throw: () => {
    throw Object.assign(new RangeError('too many', { cause: new TypeError('inner') }), { code: 'E_APPLES' });
  },
  'throw text': () => {
    throw 'just text';
  },
  'throw typed': () => {
    throw new JobError('no power', { type: 'no-power', retry: false });
  },
  later: () => {
    setTimeout(() => {
      throw Object.assign(new RangeError('uncaught'), { code: 'E_LATE' });
    });
    return new Promise(() => setInterval(() => undefined, 60_000));
  },
  reject: () => {
    void Promise.reject(new RangeError('unhandled'));
    return new Promise(() => setInterval(() => undefined, 60_000));
  },
  exit: () => process.exit(4),
  vanish: () => new Promise(() => undefined),
  linger: () => {
    setInterval(() => undefined, 60_000);
    return 'done';
  },
  spin: (_config, { log }) => {
    log.info('spinning');
    for (;;);
  },
  hog: () => {
    const held = [];
    for (;;) held.push(new Array(10_000).fill(held.length));
  },
  'circle back': () => {
    const circle = {};
    circle.self = circle;
    return circle;
  },
  retry: () => new RetryRequest(),
};

export default (job, { jobId, log }) => acts[job.config.act](job.config, { job, jobId, log });
