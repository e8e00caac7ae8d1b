// One service, the queues of three users: each work function gets a client of the user whose job it is.
import { postJob, Service } from '@oada/jobs';
import { OADAServer } from '@oada/jobs/server';

await using server = await OADAServer.start({
  tokens: [
    { token: 'service-token', user: 'users/service' },
    { token: 'ann-token', user: 'users/ann' },
    { token: 'bob-token', user: 'users/bob' },
  ],
});

await using service = new Service('whoami', server.url, 'service-token');
service.on('ask', '10s', async (_job, { oada }) => {
  const { data } = await oada.get({ path: '/bookmarks/name' });
  return { name: data ?? 'nobody' };
});
await service.start();

for (const name of ['ann', 'bob']) {
  const started = service.events.next('queue:started');
  const data = { domain: server.url, token: `${name}-token` };
  await server.client('service-token').post({ path: '/bookmarks/services/whoami/queues', data });
  await started;

  const oada = server.client(`${name}-token`);
  await oada.put({ path: '/bookmarks/name', data: name });
  const filed = service.events.next('job:filed');
  await postJob(oada, '/bookmarks/services/whoami/jobs', { service: 'whoami', type: 'ask' });
  const { jobId, status } = await filed;
  const result = await oada.get({ path: `/${jobId}/result` });
  console.log(status, result.data);
}

// Output:
// success { name: 'ann' }
// success { name: 'bob' }
