// Two queues, a service with a few kinds of work, and two hundred jobs: `npm run demo`.
import { setTimeout as sleep } from 'node:timers/promises';

import { JobError, postJob, Service } from '@oada/jobs';
import { OADAServer } from '@oada/jobs/server';

import { plan, Report } from './report.js';
import type { PlannedJob } from './report.js';

const SERVICE = 'demo';
const PENDING = `/bookmarks/services/${SERVICE}/jobs`;

// A store in memory with three users: the service's own, and one for each queue. On other days this is a server
// somewhere else, and nothing below changes.
await using server = await OADAServer.start({
  tokens: [
    { token: 'service-token', user: 'users/service' },
    { token: 'north-token', user: 'users/north' },
    { token: 'south-token', user: 'users/south' },
  ],
});
console.log(`An OADA server is listening at ${server.url}`);

await using service = new Service(SERVICE, server.url, 'service-token', 10);

service.on<{ name: string }>('greet', '5s', (job) => ({ greeting: `Hello, ${job.config.name}!` }));

service.on('survey', '5s', async (job, { log, signal }) => {
  const { fields } = job.config;
  if (!Array.isArray(fields)) throw new TypeError('There are no fields to survey');
  for (const [index, field] of fields.entries()) {
    void log.info('surveying', { field, done: index + 1, of: fields.length });
    await sleep(5, undefined, { signal });
  }
  return { surveyed: fields.length };
});

service.on('weigh', '5s', () => {
  throw new JobError('The scale does not answer', { type: 'no-scale' });
});

service.on('wait', '50ms', (_job, { signal }) => sleep(60_000, undefined, { signal }));

await service.start();

// Each queue is an entry in the service's list of queues: where it is, and the token to come in with.
const operator = server.client('service-token');
for (const queue of ['north', 'south']) {
  const started = service.events.next('queue:started', (event) => event.queue !== 'default');
  const data = { domain: server.url, token: `${queue}-token` };
  await operator.post({
    path: `/bookmarks/services/${SERVICE}/queues`,
    data,
    contentType: 'application/json',
  });
  await started;
}
console.log('The service watches its own queue and two more.\n');

// The producers: each posts to the queue of its own user.
const report = new Report(plan(200));
service.events.on('job:filed', ({ jobId, status }) => {
  report.filed(jobId, status);
});
const clients = { north: server.client('north-token'), south: server.client('south-token') };
const post = async ({ queue, type, config }: PlannedJob): Promise<string> => {
  const { _id } = await postJob(clients[queue], PENDING, { service: SERVICE, type, config });
  return _id;
};
for (const job of report.jobs) report.posted(job, await post(job));

await report.allFiled();
const right = await report.print(clients, SERVICE);
process.exitCode = right ? 0 : 1;
