import { once } from 'node:events';

import { expect, test } from 'vitest';

import { EventStream } from '../../lib/dashboard/event-stream.js';
import { Redactor } from '../../lib/dashboard/redactor.js';
import { FakeClock } from '../fake-clock.js';

function scene(isAdmitted: () => Promise<boolean> = async () => true): {
  clock: FakeClock;
  stream: EventStream;
} {
  const clock = new FakeClock();
  return { clock, stream: new EventStream({ clock, redactor: new Redactor(['s3cret-token']), isAdmitted }) };
}

test('who does not read is dropped, and nothing more is kept for them', async () => {
  const { clock, stream } = scene();
  const problem = 'x'.repeat(100_000);
  const closed = once(stream.body, 'close');
  for (let index = 0; index < 30; index++) stream.tell('connection', { ok: false, problem });
  await closed;
  expect(stream.body.destroyed).toBe(true);
  await clock.advance(60_000);
  expect(clock.timers).toBe(0);
});

test('there is a sign of life now and then, until nobody may listen any more', async () => {
  let isAdmitted = true;
  const { clock, stream } = scene(async () => isAdmitted);
  let text = '';
  stream.body.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const ended = once(stream.body, 'end');
  stream.tell('connection', { ok: false, problem: 'no s3cret-token' });
  await clock.advance(20_000);
  expect(text).toBe(
    'retry: 2000\n\nevent: connection\ndata: {"ok":false,"problem":"no [token]"}\n\n: still here\n\n',
  );
  isAdmitted = false;
  await clock.advance(20_000);
  await ended;
  expect(clock.timers).toBe(0);
});

test('a check that fails ends it', async () => {
  const { clock, stream } = scene(async () => {
    throw new Error('the directory is away');
  });
  const failed = once(stream.body, 'error');
  await clock.advance(20_000);
  expect(await failed).toMatchObject([{ message: 'the directory is away' }]);
});
