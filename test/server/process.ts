// A server in a process of its own, for tests that end it:  node --import tsx process.ts FOLDER MODE
// It says where it listens. Then, by mode: `wait`, `write` to itself for ever, with a line for each acknowledged write,
// or `stop` while it is in use, and end when nothing is left to do.
import { once } from 'node:events';
import { writeSync } from 'node:fs';

import { WebSocket } from 'ws';

import { OADAServer } from '../../lib/server/index.js';

const [, , path = '', mode] = process.argv;
const server = await OADAServer.start({
  path,
  tokens: [{ token: 'sam', user: 'users/sam', bookmarks: 'resources/sams' }],
});
writeSync(1, `${server.url}\n`);

if (mode === 'write') {
  const client = server.client();
  const put = (at: string, data: object): Promise<unknown> =>
    client.put({ path: at, data, contentType: 'application/json' });
  const writeOn = async (lane: number): Promise<void> => {
    for (let count = 0; ; count += 1) {
      const key = `${String(lane)}-${String(count)}`;
      // What a job costs: a resource, and a versioned link to it in a list.
      await put(`/resources/job${key}`, { n: count });
      await put(`/bookmarks/list`, { [key]: { _id: `resources/job${key}`, _rev: 0 } });
      await put(`/resources/job${key}/done`, { n: count });
      writeSync(1, `${key}\n`);
    }
  };
  await Promise.all(Array.from({ length: 8 }, (_, lane) => writeOn(lane)));
}

if (mode === 'stop') {
  const client = server.client();
  const { changes } = await client.watch({ path: '/bookmarks', type: 'tree' });
  const socket = new WebSocket(server.url.replace('http', 'ws'));
  await once(socket, 'open');
  const reader = await fetch(`${server.url}/bookmarks`, { headers: { authorization: 'Bearer sam' } });
  await client.put({ path: '/bookmarks/last', data: { words: 1 } });
  await Promise.all([server.stop(), server.stop(), reader.text()]);
  for await (const change of changes) writeSync(1, `${JSON.stringify(change)}\n`);
  writeSync(1, 'stopped\n');
}
