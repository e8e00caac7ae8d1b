// What a service tells of itself while it runs.
import { JobError, postJob, Service } from '@oada/jobs';
import { OADAServer } from '@oada/jobs/server';

await using server = await OADAServer.start();
const oada = server.client();
await using service = new Service('weigher', oada);

service.on('weigh', '5s', () => {
  throw new JobError('The scale does not answer', { type: 'no-scale' });
});
service.events.on('job:started', ({ type, attempt }) => {
  console.log('started', type, attempt);
});
service.events.on('job:failed', ({ type, error }) => {
  console.log('failed', type, error.message);
});
service.events.on('job:filed', ({ status }) => {
  console.log('filed as a', status);
});
await service.start();

const filed = service.events.next('job:filed');
await postJob(oada, '/bookmarks/services/weigher/jobs', { service: 'weigher', type: 'weigh' });
await filed;

// Output:
// started weigh 1
// failed weigh The scale does not answer
// filed as a failure
