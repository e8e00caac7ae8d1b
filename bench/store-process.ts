import { once } from 'node:events';

import { OADAServer } from '@oada/jobs/server';

const [, , path = '', ...tokens] = process.argv;
const server = await OADAServer.start({ path, tokens: tokens.map((token) => ({ token })) });
console.log(server.url);
process.stdin.resume();
await once(process.stdin, 'end');
await server.stop();
