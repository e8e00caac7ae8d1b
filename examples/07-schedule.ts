// Work that comes again and again: schedules submit its jobs, each occurrence once, however many instances run. Here one
// of them is run out of turn, and another follows it.
import { Service } from '@oada/jobs';
import { OADAServer } from '@oada/jobs/server';

await using server = await OADAServer.start();
await using service = new Service('dairy', server.client());

service.on('weigh', '5s', () => ({ litres: 1240 }));
service.on<{ about: string }>('tell', '5s', ({ config }) => {
  console.log('telling of', config.about);
});

service.schedule('weighing', {
  type: 'weigh',
  cron: '30 5 * * 1-6', // at half past five, Monday to Saturday
  timeZone: 'America/New_York',
  then: ['telling'],
});
service.schedule('telling', { type: 'tell', manual: true, config: { about: 'the milk' } });

service.events.on('schedule:ended', ({ schedule, outcome }) => {
  console.log(schedule, 'ended with', outcome);
});
await service.start();

const { schedules } = service;
const over = service.events.next('schedule:ended', ({ schedule }) => schedule === 'telling');
await schedules.run('weighing');
await over;

for (const { key, timing, last } of await schedules.list()) console.log(key, timing, last?.outcome);
const [entry] = await schedules.history('telling');
console.log(entry?.outcome, 'since', (entry?.cause as { schedule: string }).schedule, 'had ended');

// Output:
// weighing ended with success
// telling of the milk
// telling ended with success
// telling { manual: true } success
// weighing { cron: '30 5 * * 1-6', timeZone: 'America/New_York' } success
// success since weighing had ended
