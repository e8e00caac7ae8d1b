import type { OADAClient } from '@oada/client';
import { connect } from '@oada/client';
import { Service } from '@oada/jobs';
import type { StoreAddress } from '@oada/jobs';

const NAME = 'bench';
const TYPE = 'application/vnd.oada.service.job.1+json';

/** Has a service do jobs that are there already; a row of the table. */
export async function drain(
  name: string,
  oada: OADAClient | StoreAddress,
  total: number,
): Promise<[string, number, string, string, string, string]> {
  await post(oada, total);

  await using service = new Service({ name: NAME, oada, concurrency: 10 });
  service.on('nothing', '10s', () => ({ done: true }));
  const requests = { get: 0, put: 0, delete: 0 };
  let counting = false;
  service.events.on('store:requested', ({ method }) => {
    if (counting && method in requests) requests[method as keyof typeof requests]++;
  });
  let filed = 0;
  const done = new Promise<void>((resolve) => {
    service.events.on('job:filed', () => {
      if (++filed === total) resolve();
    });
  });
  service.events.on('queue:started', () => {
    counting = true; // what the start itself takes is not part of a job
  });
  const started = performance.now();
  await service.start();
  await done;
  const rate = (total / (performance.now() - started)) * 1000;
  const perJob = (value: number): string => (value / total).toFixed(2);
  const { get, put, delete: removed } = requests;
  return [name, Math.round(rate), perJob(get), perJob(put), perJob(removed), perJob(get + put + removed)];
}

async function post(oada: OADAClient | StoreAddress, total: number): Promise<void> {
  await using setup = new Service({ name: NAME, oada });
  await setup.start(); // makes the lists
  const own = 'getToken' in oada ? undefined : await connect({ ...oada, connection: 'ws', concurrency: 50 });
  await postAll(own ?? (oada as OADAClient), total);
  await own?.disconnect();
}

/** As many jobs as fit, without waiting for each; the links all at once. */
async function postAll(client: OADAClient, total: number): Promise<void> {
  const links: Record<string, { _id: string }> = {};
  for (let from = 0; from < total; from += 50) {
    const batch = Array.from({ length: Math.min(50, total - from) }, async (_, index) => {
      const key = `job${String(from + index)}`;
      links[key] = { _id: `resources/${key}` };
      const data = { service: NAME, type: 'nothing', config: { n: from + index } };
      await client.put({ path: `/resources/${key}`, data, contentType: TYPE });
    });
    await Promise.all(batch);
  }
  await client.put({
    path: `/bookmarks/services/${NAME}/jobs`,
    data: links,
    contentType: 'application/json',
  });
}
