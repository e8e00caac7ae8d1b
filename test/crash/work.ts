import type { WorkFunction } from '@oada/jobs';

/** Does what the job's config says. */
export const work: WorkFunction = async ({ config }, { log }) => {
  await log.info('at it');
  if (config['fails'] === true) throw new Error('broken');
  return 'done';
};
