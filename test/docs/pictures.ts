// Takes the pictures of the README, of a store that is at work: docs/images/dashboard.png and docs/images/terminal.svg.
//
//   npx tsx test/docs/pictures.ts
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

import type { OADAClient } from '@oada/client';
import { JobError, Service, submit } from '@oada/jobs';
import { startDashboard } from '@oada/jobs/dashboard';
import { OADAServer } from '@oada/jobs/server';

import { buildPage, launchBrowser } from '../dashboard/browser/browser.js';
import { root } from './program.js';

const TOKEN = 'token-of-pictures';
const PASSWORD = 'a password for pictures';
const HOUR_MS = 3_600_000;
/** How many jobs the dashboard reads of the hour before it is looked at. */
const PAST = 190;

const server = await OADAServer.start({ tokens: [{ token: TOKEN, user: 'users/dairy' }] });
const oada = server.client();
const service = new Service({
  name: 'dairy',
  oada: { domain: server.url, token: TOKEN },
  drainTimeout: '50ms',
});
service.on<{ litres: number }>('weigh', '1m', ({ config }) => ({ litres: config.litres, accepted: true }));
service.on('send-invoice', '1m', () => {
  throw new JobError('421 mail.example.org: too many connections', { type: 'mail-refused', retry: false });
});
service.on<{ rows: number }>('import-yields', '10m', async ({ config }, { progress, signal }) => {
  progress(Math.round(config.rows * 0.4), config.rows, 'yields-2026.csv');
  await sleep(HOUR_MS, undefined, { signal });
});
service.schedule('weighing', { type: 'weigh', cron: '30 5 * * 1-6', config: { litres: 1240 } });

/** A job that was done some time ago, as if it had been filed then. */
async function addPast(client: OADAClient, index: number): Promise<void> {
  const ended = Date.now() - HOUR_MS + ((index + 1) * HOUR_MS) / (PAST + 2);
  const isGood = index % 23 !== 5;
  const status = isGood ? 'success' : 'failure';
  const duration = 60 + 40 * Math.sin(index / 9) + (index % 7) * 14 + (index % 31 === 3 ? 260 : 0);
  const time = (at: number): string => new Date(at).toISOString();
  const name = `0past${String(index).padStart(4, '0')}`;
  const data = {
    ...{ service: 'dairy', status, type: isGood ? 'weigh' : 'send-invoice', config: { litres: 900 + index } },
    result: isGood
      ? { accepted: true }
      : { name: 'JobError', message: '421 mail.example.org: too many connections' },
    ...(!isGood && { failureType: 'mail-refused' }),
    updates: {
      a: { status: 'started', time: time(ended - duration), meta: 'Runner started' },
      b: { status, time: time(ended), meta: 'Runner finished' },
    },
  };
  const contentType = 'application/vnd.oada.service.job.1+json';
  await client.put({ path: `/resources/${name}`, contentType, data });
  const list = `/bookmarks/services/dairy/jobs-${status}/day-index/${time(Date.now()).slice(0, 10)}`;
  await client.put({
    path: list,
    contentType: 'application/json',
    data: { [name]: { _id: `resources/${name}` } },
  });
}

/** Has a job done, be it well or not. */
async function run(type: string, config: object = {}): Promise<void> {
  const filed = service.events.next('job:filed', (event) => event.type === type);
  await submit(oada, { service: 'dairy', type, config, layout: 'classic' });
  await filed;
}

/** What stands on a terminal: commands, and what they print. */
async function session(commands: readonly (readonly string[])[]): Promise<string[]> {
  const lines: string[] = [];
  for (const words of commands) {
    const shown = words.map((word) => (/[{ ]/.test(word) ? `'${word}'` : word)).join(' ');
    const tsx = ['--import', import.meta.resolve('tsx'), join(root, 'lib/cli/main.ts')];
    const env = { ...process.env, OADA_DOMAIN: server.url, OADA_TOKEN: TOKEN };
    const { stdout } = await promisify(execFile)(process.execPath, [...tsx, ...words], { env });
    lines.push(`$ oada-jobs ${shown}`, ...stdout.trimEnd().split('\n'), '');
  }
  return lines.slice(0, -1);
}

function svgOf(lines: readonly string[]): string {
  const [lineHeight, charWidth, padding] = [19, 8.43, 20];
  const width = Math.ceil(Math.max(...lines.map(({ length }) => length)) * charWidth) + 2 * padding;
  const height = lines.length * lineHeight + 2 * padding;
  const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const texts = lines.map((line, index) => {
    const colour = line.startsWith('$ ')
      ? '#8ad8a8'
      : /\bfailure\b|mail-refused/.test(line)
        ? '#f2b8a2'
        : '#e6e6df';
    const y = padding + (index + 1) * lineHeight - 5;
    return `<text x="${String(padding)}" y="${String(y)}" fill="${colour}" xml:space="preserve">${escaped(line)}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${String(width)}" height="${String(height)}" role="img">`,
    `<title>oada-jobs on a terminal</title>`,
    `<rect width="100%" height="100%" rx="8" fill="#17352b"/>`,
    `<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14">`,
    ...texts,
    '</g></svg>',
    '',
  ].join('\n');
}

async function dashboardPicture(path: string): Promise<void> {
  await using built = await buildPage();
  const dashboard = await startDashboard({
    stores: [{ name: 'home farm', domain: server.url, token: TOKEN }],
    ...{ password: PASSWORD, pageFolder: built.folder },
  });
  const browser = await launchBrowser();
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, locale: 'en-GB' });
  await page.goto(dashboard.url);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Services' }).waitFor();
  await page.goto(`${dashboard.url}#/home%20farm/dairy`);
  await page.locator('.uplot canvas').nth(1).waitFor();
  for (let litres = 900; litres < 908; litres++) await run('weigh', { litres });
  await run('send-invoice', { customer: 4711 });
  await run('weigh', { litres: 1240 });
  await sleep(12_000); // the last point of the charts is told of when its ten seconds are over
  await page.screenshot({ path });
  await browser.close();
  await dashboard.stop();
}

await service.start();
await run('weigh', { litres: 1 }); // makes the lists
await run('send-invoice');
for (let index = 0; index < PAST; index++) await addPast(oada, index);
for (const rows of [12_000, 8000])
  await submit(oada, { service: 'dairy', type: 'import-yields', config: { rows }, layout: 'classic' });
const folder = join(root, 'docs/images');
await mkdir(folder, { recursive: true });
await dashboardPicture(join(folder, 'dashboard.png'));
const lines = await session([
  ['add', 'weigh', '-s', 'dairy', '--config', '{"litres": 1240}', '--wait'],
  ['stats', '-s', 'dairy'],
  ['list', 'failure', '-s', 'dairy', '--limit', '2'],
  ['schedules', 'list', '-s', 'dairy'],
]);
await writeFile(join(folder, 'terminal.svg'), svgOf(lines));
console.log(lines.join('\n'));
await service.stop();
await server.stop();
