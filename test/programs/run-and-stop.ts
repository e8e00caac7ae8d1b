// Runs one job, stops, and has nothing else to do: the process has to end by itself.
import { Service } from '@oada/jobs';

const [, , domain = '', token = ''] = process.argv;
const service = new Service('tractor', domain, token).on('plough', '10s', () => 'done');
const dead = { domain: 'http://127.0.0.1:1', token: 'none' };
await service.start();
const filed = service.events.next('job:filed');
process.send?.('ready');
await filed;
await service.stop();

const failing = new Service('tractor', dead.domain, dead.token);
await failing.start().catch(() => undefined);
await failing.stop();

process.disconnect();
console.log('stopped');
