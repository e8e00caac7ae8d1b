// Jobs that are done by a command, in whatever language it is written: it gets the config as JSON on its standard input,
// and what it prints is the result. No shell has a hand in it, so an argument from a job stays one argument.
import { postJob, Service } from '@oada/jobs';
import { OADAServer } from '@oada/jobs/server';

await using server = await OADAServer.start();
const oada = server.client();
await using service = new Service('crusher', oada);

const program = `
  const { fields } = JSON.parse(require('node:fs').readFileSync(0));
  console.error('weighing for', process.argv[1]);
  console.log(JSON.stringify({ tonnes: fields.length * 7 }));
`;
service.onCommand<{ farm: string; fields: string[] }>('weigh', {
  command: process.execPath,
  args: ({ config }) => ['--eval', program, '--', config.farm],
  output: 'json',
  timeout: '10s',
});
await service.start();

const filed = service.events.next('job:filed');
await postJob(oada, '/bookmarks/services/crusher/jobs', {
  service: 'crusher',
  type: 'weigh',
  config: { farm: '$(whoami); rm -rf /', fields: ['north', 'south'] },
});
const { jobId, status } = await filed;
const { data } = await oada.get({ path: `/${jobId}` });
const { result, updates } = data as {
  result: unknown;
  updates: Record<string, { status: string; meta: unknown }>;
};
console.log(status, result);
console.log(Object.values(updates).find((update) => update.status === 'output')?.meta);

// Output:
// success { tonnes: 14 }
// { stream: 'stderr', text: 'weighing for $(whoami); rm -rf /\n' }
