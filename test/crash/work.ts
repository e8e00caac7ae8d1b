import type { Service } from '@oada/jobs';

/** What is done for the jobs of these tests, before and after a crash. */
export function register(service: Service): Service {
  return service
    .on('plough', '10s', async (_job, { log }) => {
      await log.info('at it');
      return 'done';
    })
    .on('break', '10s', () => {
      throw new Error('broken');
    })
    .on('sleep', { timeout: '50ms', grace: 1 }, () => new Promise(() => undefined))
    .on('sow', { timeout: '10s', retries: { limit: 2, backoff: 20 } }, ({ attempts }) => {
      if (attempts === 0) throw new Error('not yet');
      return 'done';
    });
}
