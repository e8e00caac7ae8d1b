import { once } from 'node:events';

import { OADAServer } from '@oada/jobs/server';

const [, , path = '', token = ''] = process.argv;
const server = await OADAServer.start({ path, tokens: [{ token }] });
console.log(server.url);
process.stdin.resume();
await once(process.stdin, 'end');
await server.stop();
