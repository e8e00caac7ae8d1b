// Runs a service whose jobs are done by a family of processes, until somebody kills it.
import { fileURLToPath } from 'node:url';

import { Service } from '@oada/jobs';

const [, , domain = '', token = '', mark = ''] = process.argv;
const family = fileURLToPath(new URL('family.mjs', import.meta.url));
const service = new Service('tractor', domain, token);
service.onCommand('command', { command: process.execPath, args: [family, mark, '2', 'stubborn'] });
await service.start();
