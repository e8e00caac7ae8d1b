import { Service } from '@oada/jobs';
import { connect } from '@oada/client';

import { makeLists, NAME } from './jobs.js';
import { startStore, TOKEN } from './store.js';

export interface Latency {
  /** In ms. */
  readonly p50: number;
  readonly p99: number;
}

/** From the moment at which a producer puts a job's link to the first line of its work function, one job at a time. */
export async function postingToWork(path: string, total: number): Promise<Latency> {
  await using store = await startStore(path);
  const address = { domain: store.url, token: TOKEN };
  await makeLists(address);
  let begin: (at: number) => void = () => undefined;
  await using service = new Service({ name: NAME, oada: address });
  service.on('nothing', '10s', () => {
    begin(performance.now());
  });
  await service.start();
  const producer = await connect({ ...address, connection: 'ws' });
  const took: number[] = [];
  for (let index = 0; index < total + 100; index++) {
    const key = `late${String(index)}`;
    const data = { service: NAME, type: 'nothing', config: {} };
    await producer.put({
      path: `/resources/${key}`,
      data,
      contentType: 'application/vnd.oada.service.job.1+json',
    });
    const begun = new Promise<number>((resolve) => (begin = resolve));
    const filed = service.events.next('job:filed');
    const put = performance.now();
    const path = `/bookmarks/services/${NAME}/jobs/${key}`;
    await Promise.all([
      producer.put({ path, data: { _id: `resources/${key}` }, contentType: 'application/json' }),
      begun,
    ]);
    if (index >= 100) took.push((await begun) - put); // the first ones are compiled
    await filed;
  }
  await producer.disconnect();
  const sorted = took.toSorted((one, other) => one - other);
  const at = (part: number): number => sorted[Math.floor(part * sorted.length)] ?? 0;
  return { p50: at(0.5), p99: at(0.99) };
}
