import { expect, test } from 'vitest';

import { jobOf, runJob } from '../../setup.js';
import { openScene, row, useBrowser } from './setup.js';

useBrowser();

test('a document is shown when it is opened, and copied only where the browser has a clipboard', async () => {
  const { service, oada, page, open, mishaps } = await openScene();
  service.on('weed', '1m', () => ({}));
  await service.start();
  await runJob(service, oada, jobOf('weed'), 'the-job');
  await open('jobs/success');
  await row(page, 'the-job').getByRole('link').click();
  await page.getByRole('button', { name: 'Copy Config' }).waitFor();
  const document = page.getByLabel('Document', { exact: true });
  expect(await document.count()).toBe(0);
  await page.getByText('Document as it stands in the store').click();
  await document.getByText('"status":').first().waitFor();

  await page.addInitScript('delete Navigator.prototype.clipboard');
  await page.reload();
  await page.getByLabel('Config', { exact: true }).first().waitFor();
  expect(await page.getByRole('button', { name: /^Copy/ }).count()).toBe(0);
  expect(mishaps).toEqual([]);
});

test('jobs are found by the owner that the table shows, or by its path, once it is written out', async () => {
  const { service, oada, page, open } = await openScene();
  service.on('weed', '1m', () => ({}));
  await service.start();
  for (const name of ['sam', 'kim'])
    await runJob(service, oada, { ...jobOf('weed'), owner: `users/${name}` }, name);
  await open('jobs/success');
  await row(page, 'sam').waitFor();
  await page.getByText('The latest day first').waitFor();
  await page.clock.install();
  const owner = page.getByLabel('Owner');
  await owner.fill('k');
  await page.clock.runFor(1000);
  expect(new URL(page.url()).hash).not.toContain('owner');
  await owner.fill('kim');
  await owner.press('Enter');
  await row(page, 'sam').waitFor({ state: 'detached' });
  await row(page, 'kim').waitFor();
  await owner.fill('users/sam');
  await owner.blur();
  await row(page, 'sam').waitFor();
  expect(await row(page, 'kim').count()).toBe(0);
});
