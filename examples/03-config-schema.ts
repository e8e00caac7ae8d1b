// A JSON Schema for a job's config: what does not match is filed as a failure that says why, and never run.
import { postJob, Service } from '@oada/jobs';
import { OADAServer } from '@oada/jobs/server';

interface Area {
  readonly width: number;
  readonly length: number;
}

await using server = await OADAServer.start();
const oada = server.client();
await using service = new Service('surveyor', oada);

const config = {
  type: 'object',
  properties: { width: { type: 'number' }, length: { type: 'number' } },
  required: ['width', 'length'],
};
service.on<Area>('area', { timeout: '5s', config }, (job) => ({
  area: job.config.width * job.config.length,
}));
await service.start();

for (const posted of [{ width: 3, length: 4 }, { width: 'wide' }]) {
  const filed = service.events.next('job:filed');
  const path = '/bookmarks/services/surveyor/jobs';
  await postJob(oada, path, { service: 'surveyor', type: 'area', config: posted });
  const { jobId, status } = await filed;
  const { data } = await oada.get({ path: `/${jobId}/result` });
  console.log(status, data);
}

// Output:
// success { area: 12 }
// failure {
//   name: 'InvalidJobError',
//   message: `The job's config is not what "area" takes: config must have required property 'length'; config/width must be number.`,
//   code: 'OADA_JOBS_INVALID_JOB'
// }
