import { expect, test } from 'vitest';

import { deferred, jobOf, postJob, runJob } from '../../setup.js';
import { button, openScene, row, STORE, useBrowser } from './setup.js';

useBrowser();

const PASSWORD = 'correct horse battery';

test('people sign in with the password, and are asked again where the session is over', async () => {
  const { page, service, oada, address } = await openScene({ password: PASSWORD });
  service.on('plough', '1m', () => ({}));
  await service.start();
  await runJob(service, oada, jobOf('plough'), 'done-1');
  await page.getByLabel('Password').fill('wrong');
  await button(page, 'Sign in').click();
  await page.getByText('That is not the password').waitFor();
  await page.getByLabel('Password').fill(PASSWORD);
  await button(page, 'Sign in').click();
  await page.getByRole('heading', { name: 'Services' }).waitFor();
  await page.getByRole('link', { name: 'tractor' }).click();
  await page.getByLabel('Last finished').getByText('done-1').waitFor();

  await page.context().clearCookies();
  await page.getByRole('link', { name: 'Queues' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await page.getByLabel('Password').fill(PASSWORD);
  await button(page, 'Sign in').click();
  await page.getByRole('heading', { name: 'Queues' }).waitFor();
  expect(page.url()).toBe(`${address}#/${STORE}/tractor/queues`);

  await button(page, 'Sign out').click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
});

test('a read-only dashboard offers nothing that changes something', async () => {
  const { page, service, oada, open } = await openScene({ readOnly: true });
  service.on('plough', '1m', () => ({}));
  service.schedule('s', { type: 'plough', manual: true });
  await service.start();
  await runJob(service, oada, jobOf('plough'), 'done-1');
  const actions = /^(Pause|Resume|Retry|Run|Cancel|Delete|Add|Remove|Hold|Release|Override|Reset)/;
  await open('jobs/success');
  await row(page, 'done-1').waitFor();
  await page.getByText('Read only').waitFor();
  expect(await page.getByRole('checkbox').count()).toBe(0);
  for (const path of ['', 'jobs/success', 'queues', 'instances', 'schedules', 'schedules/s']) {
    await open(path);
    await page.locator('main h1').waitFor();
    await page.locator('.skeleton').first().waitFor({ state: 'detached' });
    expect(await page.getByRole('button', { name: actions }).count(), path).toBe(0);
    expect(await page.getByRole('switch').count(), path).toBe(0);
  }
});

test('a lost connection is seen', async () => {
  const { page, open, stopDashboard } = await openScene();
  await open('jobs/pending');
  await stopDashboard();
  await page.getByText('The connection is lost.').waitFor();
  await page.locator('.live-sign.lost').waitFor();
  await button(page, 'Refresh').click();
  await page.getByText('The dashboard cannot be reached').waitFor();
});

test('all can be done with the keyboard', async () => {
  const { page, service, oada, open } = await openScene();
  const stopped = deferred();
  const running = deferred();
  service.on('mow', '1m', (_job, { signal }) => {
    running.resolve();
    return new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        stopped.resolve();
        reject(signal.reason as Error);
      });
    });
  });
  await service.start();
  await postJob(oada, jobOf('mow'), 'endless');
  await running.promise;
  await open('');
  await page.reload();
  await page.locator('.live-sign.live').waitFor();
  const { keyboard } = page;
  await keyboard.press('Tab');
  await expect.poll(() => focused(page)).toBe('Skip to the content');
  await keyboard.press('Enter');
  await expect.poll(() => page.evaluate('document.activeElement.id')).toBe('main');
  await keyboard.press('g');
  await keyboard.press('j');
  await page.getByRole('heading', { name: 'Jobs' }).waitFor();
  await row(page, 'endless').waitFor();
  await expect.poll(() => focused(page)).toBe('Jobs');
  await keyboard.press('/');
  await keyboard.type('endl');
  await page.waitForURL(/text=endl$/);
  await row(page, 'endless').waitFor();
  await row(page, 'endless').getByRole('checkbox').focus();
  await keyboard.press('Tab');
  await expect.poll(() => focused(page)).toContain('endless');
  await keyboard.press('Enter');
  await button(page, 'Cancel').focus();
  await keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await expect.poll(() => focused(page)).toBe('Cancel');
  for (let step = 0; step < 5; step++) {
    await keyboard.press('Tab');
    expect(
      await page.evaluate(
        'document.activeElement === document.body || document.activeElement.closest("dialog") !== null',
      ),
    ).toBe(true);
  }
  await keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await expect.poll(() => focused(page)).toBe('Cancel');
  await keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await keyboard.press('Enter');
  await stopped.promise;
  await keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
});

async function focused(page: Awaited<ReturnType<typeof openScene>>['page']): Promise<string> {
  return await page.evaluate('document.activeElement.textContent.trim()');
}

const VIEWS = [
  '',
  'jobs/pending',
  'jobs/failure',
  'queues',
  'instances',
  'schedules',
  'schedules/press-at-night',
];

test('on a phone, no page scrolls sideways', async () => {
  const { page, service, oada, open } = await openScene({
    context: { viewport: { width: 320, height: 640 } },
  });
  const type = 'a-type-with-a-name-that-is-much-too-long-for-a-phone'.repeat(2);
  service.schedule('press-at-night', {
    type: 'press',
    cron: '30 2 * * *',
    timeZone: 'America/Argentina/Buenos_Aires',
  });
  service.on('press', '1m', () => ({}));
  service.on(type, '1m', () => {
    throw new Error('x'.repeat(500));
  });
  await service.start();
  const { _id } = await runJob(service, oada, jobOf(type, { text: 'y'.repeat(500) }));
  for (const path of [...VIEWS, `job/${String(_id).replace('resources/', '')}`]) {
    await open(path);
    await page.locator('main h1').waitFor();
    await page.locator('.skeleton').first().waitFor({ state: 'detached' });
    expect(await page.evaluate('document.documentElement.scrollWidth'), path).toBe(320);
  }
});

test('each page has landmarks, one heading of the first level, and a name for all that is used', async () => {
  const { page, service, oada, open } = await openScene();
  service.on('press', '1m', () => ({}));
  service.schedule('press-at-night', { type: 'press', cron: '30 2 * * *' });
  await service.start();
  await runJob(service, oada, jobOf('press'));
  for (const path of [...VIEWS, 'jobs/success']) {
    await open(path);
    await page.locator('main h1').waitFor();
    await page.locator('.skeleton').first().waitFor({ state: 'detached' });
    const counts = [
      page.getByRole('main'),
      page.getByRole('banner'),
      page.getByRole('heading', { level: 1 }),
    ];
    expect(await Promise.all(counts.map((one) => one.count())), path).toEqual([1, 1, 1]);
    expect(await page.getByRole('navigation').count()).toBeGreaterThan(0);
    for (const role of [
      'button',
      'link',
      'checkbox',
      'switch',
      'textbox',
      'searchbox',
      'combobox',
    ] as const) {
      const unnamed = page.getByRole(role, { name: /^\s*$/ });
      expect(await unnamed.count(), `${path}: ${role}`).toBe(0);
    }
    const ids = await page.locator('[id]').evaluateAll((all) => all.map(({ id }) => id));
    expect(new Set(ids).size, path).toBe(ids.length);
  }
  await page.getByRole('table').getByRole('columnheader', { name: 'Job' }).waitFor();
});
