import { JobError } from '@oada/jobs';
import { expect, test } from 'vitest';

import { jobOf, runJob } from '../../setup.js';
import { openScene, useBrowser } from './setup.js';

useBrowser();

const MARKUP = '<img src=x onerror="window.hit=1;alert(1)"><script>window.hit=1</script>';

test('what jobs hold is shown as the text that it is, and runs nothing', async () => {
  const { service, oada, page, open, mishaps } = await openScene();
  service.on(MARKUP, '1m', async (_job, { log, progress }) => {
    progress(1, 2, MARKUP);
    await log.info(MARKUP, { [MARKUP]: MARKUP });
    throw Object.assign(new JobError(MARKUP, { type: MARKUP }), { [MARKUP]: MARKUP });
  });
  service.on('good', '1m', () => ({ [MARKUP]: [MARKUP, 'javascript:window.hit=1'] }));
  await service.start();
  await runJob(service, oada, {
    ...jobOf(MARKUP, { [MARKUP]: MARKUP, nested: [MARKUP] }),
    owner: `users/${MARKUP}`,
    startedBy: { user: MARKUP, job: MARKUP, schedule: MARKUP },
  });
  await runJob(service, oada, { ...jobOf('good'), startedBy: { job: 'javascript:window.hit=1' } });

  await open('');
  await page.getByLabel('Last finished').getByText(MARKUP).first().waitFor();
  await open('jobs/failure');
  await page.getByRole('row').getByText(MARKUP).first().waitFor();
  await page.getByRole('row').getByRole('link').first().click();
  await page.getByRole('heading', { name: MARKUP, level: 1 }).waitFor();
  await page.getByText('Document as it stands in the store').click();
  await page.getByLabel('Document', { exact: true }).getByText('onerror').first().waitFor();
  await page.getByLabel('Timeline').getByText(MARKUP).first().waitFor();
  await open('jobs/success');
  await page.getByRole('row').filter({ hasText: 'good' }).getByRole('link').click();
  await page.getByText('javascript:window.hit=1').first().waitFor();

  expect(await page.evaluate('window.hit')).toBeUndefined();
  expect(await page.locator('img, iframe, object, embed, main script').count()).toBe(0);
  const links = await page
    .locator('a')
    .evaluateAll((all) => all.map((one) => String(one.getAttribute('href'))));
  expect(links.length).toBeGreaterThan(5);
  expect(links.filter((link) => !link.startsWith('#'))).toEqual([]);
  expect(mishaps).toEqual([]);
});

test('the policy is one that would have refused it', async () => {
  const { page, open, mishaps } = await openScene();
  await open('jobs/pending');
  await page.evaluate(
    `document.body.append(document.createRange().createContextualFragment('<b onclick="window.hit=1">b</b>'));
     document.querySelector('b[onclick]').click()`,
  );
  expect(await page.evaluate('window.hit')).toBeUndefined();
  await expect.poll(() => mishaps.length).toBeGreaterThan(0);
});
