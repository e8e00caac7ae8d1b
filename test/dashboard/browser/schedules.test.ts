import { expect, test } from 'vitest';

import { answer, button, openScene, row, told, useBrowser } from './setup.js';

useBrowser();

test('a schedule is run, overridden, disabled and enabled', async () => {
  const { service, page, open, mishaps } = await openScene();
  service.on('press', '1m', () => ({ litres: 12 }));
  service.schedule('nightly', { type: 'press', cron: '30 2 * * *', timeZone: 'America/New_York' });
  await service.start();
  await open('schedules');
  const ended = service.events.next('schedule:ended');
  await page.getByRole('button', { name: 'Run nightly now' }).click();
  await told(page, 'nightly is to be run now.');
  expect(await ended).toMatchObject({ schedule: 'nightly', outcome: 'success' });
  await row(page, 'nightly').locator('.is-last').getByText('success').waitFor();

  await row(page, 'nightly').getByRole('link').click();
  await page.getByLabel('History', { exact: true }).first().getByText('{"litres":12}').waitFor();
  await button(page, 'Override').click();
  await page.getByLabel('Cron', { exact: true }).fill('99 * * * *');
  await answer(page, 'Override');
  await page.locator('.form-problem').getByText('cron').waitFor();
  await page.getByLabel('Cron', { exact: true }).fill('15 6 * * *');
  await page.getByLabel('Time zone').fill('Europe/Paris');
  await answer(page, 'Override');
  await told(page, 'The timing is overridden.');
  await page.getByLabel('About the schedule').getByText('cron 15 6 * * * (Europe/Paris)').waitFor();
  await page.getByLabel('Next runs').getByText(':15:00').first().waitFor();
  expect(await service.schedules.get('nightly')).toMatchObject({
    override: { cron: '15 6 * * *', timeZone: 'Europe/Paris' },
  });

  await page.getByRole('switch', { name: 'nightly enabled' }).click();
  await answer(page, 'Back');
  expect(await service.schedules.get('nightly')).toMatchObject({ enabled: true });
  await page.getByRole('switch', { name: 'nightly enabled' }).click();
  await answer(page, 'Disable');
  await page.locator('.heading').getByText('disabled').waitFor();
  expect(await service.schedules.get('nightly')).toMatchObject({ enabled: false });
  await page.getByRole('switch', { name: 'nightly enabled' }).click();
  expect(await page.getByRole('dialog').getByRole('button', { name: 'Enable' }).isDisabled()).toBe(true);
  await page.getByLabel('Pass over it').check();
  await answer(page, 'Enable');
  await page.locator('.heading').getByText('enabled', { exact: true }).waitFor();
  expect(await service.schedules.get('nightly')).toMatchObject({ enabled: true });
  expect(mishaps).toEqual([]);
});

test('all schedules are held, and released with a choice; those of a type are paused', async () => {
  const { service, page, open } = await openScene();
  service.on('press', '1m', () => ({}));
  service.on('mow', '1m', () => ({}));
  service.schedule('nightly', { type: 'press', cron: '30 2 * * *' });
  service.schedule('lawn', { type: 'mow', manual: true });
  await service.start();
  await open('schedules');
  await button(page, 'Hold all').click();
  await answer(page, 'Hold all');
  await page.getByText('All schedules are held.').first().waitFor();
  await button(page, 'Release …').waitFor();
  expect(await service.schedules.heldSince()).toBeInstanceOf(Date);
  await button(page, 'Release …').click();
  await page.getByLabel('Run what became due').check();
  await answer(page, 'Release');
  await told(page, 'The schedules go on.');
  await button(page, 'Hold all').waitFor();
  expect(await service.schedules.heldSince()).toBeUndefined();

  await button(page, 'Pause types …').click();
  await page.getByRole('dialog').getByRole('button', { name: 'Pause mow' }).click();
  const question = page.getByRole('dialog', { name: 'Pause the schedules of mow?' });
  await question.getByText('1 schedule of that type').waitFor();
  await button(question, 'Pause').click();
  await page.getByRole('dialog').getByRole('button', { name: 'Resume mow' }).waitFor();
  await page.keyboard.press('Escape');
  await row(page, 'lawn').getByText('paused').waitFor();
  expect(await row(page, 'nightly').getByText('paused').count()).toBe(0);
  expect(await service.schedules.pausedTypes()).toEqual(['mow']);

  await page.getByRole('combobox', { name: 'State' }).selectOption('paused');
  await row(page, 'nightly').waitFor({ state: 'detached' });
  expect(new URL(page.url()).hash).toContain('state=paused');
});
