import { fill, makeLists, withClient } from './jobs.js';
import { Instance } from './instances.js';
import { startStore, TOKEN } from './store.js';

export interface BacklogCost {
  /** From the start of the service to its first job, in ms. */
  readonly first: number;
  /** Jobs per second, of the first so many. */
  readonly rate: number;
  /** Of the service's process, while the list is full, in bytes. */
  readonly heap: number;
}

/** What it costs a service that so many jobs are pending when it starts. */
export async function withBacklog(path: string, pending: number, measured: number): Promise<BacklogCost> {
  await using store = await startStore(path);
  const address = { domain: store.url, token: TOKEN };
  await makeLists(address);
  await withClient(address, (client) => fill(client, pending));
  await using instance = new Instance(store.url, { concurrency: 10 });
  const begun = instance.next('begun');
  let rate = 0;
  const done = new Promise<void>((resolve) => {
    let from: { at: number; filed: number } | undefined;
    instance.onTold(({ what, filed }) => {
      if (what !== 'filed') return;
      from ??= { at: performance.now(), filed };
      if (filed < measured) return;
      rate = ((filed - from.filed) / (performance.now() - from.at)) * 1000;
      resolve();
    });
  });
  await instance.next('loaded');
  const at = performance.now();
  await begun;
  const first = performance.now() - at;
  await done;
  const { heapUsed } = await instance.measure();
  return { first, rate, heap: heapUsed };
}
