import { expect, test } from 'vitest';

import { BASE, jobOf, OTHER_TOKEN, postJob, read } from '../../setup.js';
import { answer, button, openScene, row, told, useBrowser } from './setup.js';

useBrowser();

test('a queue is added, tells how it is, and is removed; its token is never shown', async () => {
  const { server, service, oada, page, open } = await openScene();
  await service.start();
  await open('queues');
  await page.getByText('No further queue').waitFor();
  await button(page, 'Add a queue').click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('north');
  await dialog.getByLabel('Store').fill('no address at all');
  expect(await dialog.getByLabel('Token').getAttribute('type')).toBe('password');
  await dialog.getByLabel('Token').fill(OTHER_TOKEN);
  await answer(page, 'Add');
  await dialog.locator('.form-problem').getByText('domain').waitFor();
  await dialog.getByLabel('Store').fill(server.url);
  await answer(page, 'Add');
  await told(page, 'The queue north is added.');
  await row(page, 'north').getByText('ok', { exact: true }).waitFor();
  expect(await read(oada, `${BASE}/queues/north`)).toEqual({ domain: server.url, token: OTHER_TOKEN });
  expect(await page.content()).not.toContain(OTHER_TOKEN);

  await page.getByRole('button', { name: 'Remove the queue north' }).click();
  await answer(page, 'Remove');
  await told(page, 'The queue north is removed.');
  await page.getByText('No further queue').waitFor();
  expect(await read(oada, `${BASE}/queues`)).not.toHaveProperty('north');
});

test('the service is paused and resumed, and what it finished stands on its first page', async () => {
  const { service, oada, page, open, mishaps } = await openScene();
  service.on('plough', '1m', () => ({}));
  await service.start();
  await open('');
  await button(page, 'Pause').click();
  await answer(page, 'Back');
  const paused = service.events.next('queue:paused');
  await button(page, 'Pause').click();
  await answer(page, 'Pause');
  await paused;
  await page.getByText('The service is paused.').waitFor();
  await postJob(oada, jobOf('plough'), 'patient');
  await page.locator('.stat', { hasText: 'Pending' }).getByText('1', { exact: true }).waitFor();

  const filed = service.events.next('job:filed');
  await button(page, 'Resume').click();
  await answer(page, 'Resume');
  await filed;
  await page.getByLabel('Last finished').getByText('patient').waitFor();
  await page
    .getByLabel('Throughput. Seen in the last hour: 1 success, 0 failures.')
    .waitFor({ timeout: 15_000 });
  expect(mishaps).toEqual([]);
});
