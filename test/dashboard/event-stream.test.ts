import { once } from 'node:events';

import { expect, test } from 'vitest';

import { EventStream } from '../../lib/dashboard/event-stream.js';
import { Redactor } from '../../lib/dashboard/redactor.js';
import { FakeClock } from '../fake-clock.js';

function scene(
  isAdmitted: () => Promise<boolean> = async () => true,
  unsent: () => number = () => 0,
): {
  clock: FakeClock;
  stream: EventStream;
} {
  const clock = new FakeClock();
  return {
    clock,
    stream: new EventStream({ clock, redactor: new Redactor(['s3cret-token']), isAdmitted, unsent }),
  };
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

test('what the answer has taken and not sent counts, and so does what is to be pushed', async () => {
  let unsent = 900_000;
  const { stream } = scene(undefined, () => unsent);
  const closed = once(stream.body, 'close');
  stream.tell('connection', { ok: false, problem: 'x'.repeat(100_000) });
  expect(stream.body.destroyed).toBe(false);
  stream.tell('connection', { ok: false, problem: 'x'.repeat(100_000) });
  await closed;
  expect(stream.body.destroyed).toBe(true);
  unsent = 0;
  const other = scene(undefined, () => unsent).stream;
  other.tell('connection', { ok: false, problem: 'x'.repeat(2_000_000) });
  expect(other.body.destroyed).toBe(false);
  other.tell('connection', { ok: true });
  expect(other.body.destroyed).toBe(true);
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
