// Work that takes too long: its signal is aborted, and the job is filed as a failure of type `timeout`.
import { once } from 'node:events';

import { JobTimeoutError, postJob, Service } from '@oada/jobs';
import { OADAServer } from '@oada/jobs/server';

await using server = await OADAServer.start();
const oada = server.client();
await using service = new Service('sleeper', oada);

service.on('sleep', '50ms', async (_job, { signal }) => {
  await once(signal, 'abort'); // stands for work that heeds its signal
  console.log('aborted by a timeout:', signal.reason instanceof JobTimeoutError);
});
await service.start();

const filed = service.events.next('job:filed');
await postJob(oada, '/bookmarks/services/sleeper/jobs', { service: 'sleeper', type: 'sleep' });
const { jobId, status } = await filed;
const { data } = await oada.get({ path: `/${jobId}/failureType` });
console.log(status, data);

// Output:
// aborted by a timeout: true
// failure timeout
