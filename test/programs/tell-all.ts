// A service that prints all that it tells, for a test to look for what must not be in it.
import { inspect } from 'node:util';

import { Service } from '@oada/jobs';
import type { EventName } from '@oada/jobs';

const [, , domain = '', token = '', wrongToken = ''] = process.argv;
const names = (process.env['EVENTS'] ?? '').split(',') as EventName[];

function tellAll(service: Service): void {
  for (const name of names) {
    service.events.on(name, (event) => {
      console.log(
        inspect({ name, event }, { depth: 10, showHidden: true, getters: true }),
        JSON.stringify(event),
      );
    });
  }
}

for (const address of [
  { domain: 'http://127.0.0.1:1', token },
  { domain, token: wrongToken },
]) {
  const failing = new Service({ name: 'tractor', oada: address });
  tellAll(failing);
  await failing.start().catch((error: unknown) => {
    console.log('refused:', inspect(error, { depth: 10, showHidden: true }));
  });
  await failing.stop();
}

const service = new Service({
  name: 'tractor',
  oada: { domain, token },
  stacks: true,
  logging: ['debug', 'trace'],
});
tellAll(service);
service.on('good', '5s', async (_job, { log }) => {
  await log.info(`came in with ${token}`, { headers: { authorization: `Bearer ${token}` }, [token]: token });
  return 'done';
});
service.on('bad', '5s', async (_job, { log }) => {
  void log.error('failed', new Error(`401 for ${token}`));
  throw new Error(`GET failed with ${token}`, { cause: new TypeError(`Bearer ${token} is no header`) });
});
// eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- this is what it is about
service.on('rejects', '5s', () => Promise.reject({ request: { authorization: `Bearer ${token}` } }));
process.on('message', () => {
  void service.stop().then(() => {
    process.disconnect();
  });
});
await service.start();
process.send?.('ready');
