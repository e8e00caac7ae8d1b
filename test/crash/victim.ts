// Services in a process of their own. Each comes to a halt at one of its requests to the store; when all have, or have
// come to their end, the process kills itself:  node --import tsx victim.ts TOKEN POINTS
import { OADAClient } from '@oada/client';
import { Service } from '@oada/jobs';

import { CountingConnection } from './breaking-connection.js';
import type { Lost } from './breaking-connection.js';
import { register } from './work.js';

/** Where a service comes to a halt. */
export interface Point {
  /** Of a store of its own. */
  readonly domain: string;
  /** The how manieth request it is, from the time that the service has started. */
  readonly count: number;
  readonly lost: Lost;
}

const [, , token = '', json = '[]'] = process.argv;
const points = JSON.parse(json) as readonly Point[];

const lives = points.map(({ domain, count, lost }) => {
  let before = Infinity;
  let halt: (reached: boolean) => void;
  const halted = new Promise<boolean>((resolve) => {
    halt = resolve;
  });
  const connection = new CountingConnection(domain, async (number, send) => {
    const asked = number - before;
    if (asked < count || before === Infinity) return await send();
    if (asked === count && lost === 'answer') await send().catch(() => undefined);
    halt(true);
    return await new Promise(() => undefined);
  });
  const oada = new OADAClient({ domain, token, connection });
  const service = register(new Service({ name: 'tractor', oada }));
  const filed = service.events.next('job:filed');
  const started = service.start().then(() => {
    before = connection.count;
  });
  const live = async (): Promise<boolean> => {
    await filed;
    await service.stop();
    return false;
  };
  return { started, ended: Promise.race([halted, live()]) };
});

await Promise.all(lives.map(({ started }) => started));
process.send?.('ready');
const reached = await Promise.all(lives.map(({ ended }) => ended));
process.send?.(reached, () => {
  process.kill(process.pid, 'SIGKILL');
});
