// What the soak test's service works against, all in another process: a server on disk, a proxy in front of it, and a
// producer.  soak-server.ts FOLDER.  It is told `{ cut: true }`, or to post so many jobs from a number on.
import { OADAServer } from '@oada/jobs/server';

import { openProxy } from '../tcp-proxy.js';
import { NAME, TOKEN } from './names.js';

interface Order {
  readonly cut?: boolean;
  readonly from?: number;
  readonly count?: number;
}

const [, , path = ''] = process.argv;
const server = await OADAServer.start({ path, tokens: [{ token: TOKEN }] });
const proxy = await openProxy(server.url);
const client = server.client();

async function post(from: number, count: number): Promise<void> {
  for (let number = from; number < from + count; number++) {
    const _id = `resources/soak${String(number)}`;
    const data = { service: NAME, type: number % 10 === 0 ? 'failing' : 'quick', config: { number } };
    await client.put({ path: `/${_id}`, data, contentType: 'application/vnd.oada.service.job.1+json' });
    const link = { [`soak${String(number)}`]: { _id } };
    await client.put({
      path: `/bookmarks/services/${NAME}/jobs`,
      data: link,
      contentType: 'application/json',
    });
  }
}

process.on('disconnect', () => process.exit());
process.on('message', ({ cut = false, from = 0, count = 0 }: Order) => {
  if (cut) proxy.cut();
  void post(from, count);
});
process.send?.(proxy.url);
