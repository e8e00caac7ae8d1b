// A service, its store and its producer in one process.
import { postJob, Service } from '@oada/jobs';
import { OADAServer } from '@oada/jobs/server';

await using server = await OADAServer.start();
const oada = server.client();

await using service = new Service('greeter', oada, 10);
service.on<{ name: string }>('hello', '10s', (job, { log }) => {
  void log.info('greeting', { name: job.config.name });
  return { greeting: `Hello, ${job.config.name}!` };
});
await service.start();

const filed = service.events.next('job:filed');
await postJob(oada, '/bookmarks/services/greeter/jobs', {
  service: 'greeter',
  type: 'hello',
  config: { name: 'world' },
});
const { jobId, status } = await filed;

const { data } = await oada.get({ path: `/${jobId}/result` });
console.log(status, data);

// Output:
// success { greeting: 'Hello, world!' }
