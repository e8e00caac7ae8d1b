// Takes pictures of all pages of the dashboard, with a store that is at work:
//
//   npx tsx test/dashboard/screenshots.ts <folder> [<only those whose names begin with this>]
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { startDashboard } from '@oada/jobs/dashboard';
import type { Browser, Page } from 'playwright-core';

import { buildPage, launchBrowser } from './browser/browser.js';
import { BUSY_TOKEN, startBusyStore } from './busy-store.js';

const [folder, only = ''] = process.argv.slice(2);
if (folder === undefined) throw new Error('Say which folder the pictures are to go to.');
await mkdir(folder, { recursive: true });

const PASSWORD = 'a password for pictures';
await using store = await startBusyStore();
await using built = await buildPage();
await using dashboard = await startDashboard({
  stores: [
    { name: 'home farm', domain: store.url, token: BUSY_TOKEN },
    { name: 'far away', domain: 'http://127.0.0.1:9', token: 'none' },
  ],
  password: PASSWORD,
  pageFolder: built.folder,
});

interface View {
  readonly name: string;
  readonly path: string;
  /** What is done before the picture is taken. */
  readonly act?: (page: Page) => Promise<void>;
}

const PLACE = 'home%20farm/dairy';

async function openFirst(page: Page, row: string): Promise<void> {
  await page.locator('tr', { hasText: row }).first().locator('a').first().click();
  await page.locator('.json').first().waitFor();
}

const VIEWS: readonly View[] = [
  { name: '01-home', path: '', act: (page) => page.locator('.figures').first().waitFor() },
  { name: '02-overview', path: PLACE, act: () => store.more() },
  { name: '03-pending', path: `${PLACE}/jobs/pending` },
  { name: '04-running', path: `${PLACE}/jobs/running` },
  { name: '05-success', path: `${PLACE}/jobs/success?type=weigh` },
  {
    name: '06-failure',
    path: `${PLACE}/jobs/failure`,
    act: async (page) => {
      for (const index of [0, 1]) await page.locator('tbody input[type=checkbox]').nth(index).check();
    },
  },
  {
    name: '07-failed-job',
    path: `${PLACE}/jobs/failure?type=press`,
    act: (page) => openFirst(page, 'press'),
  },
  { name: '08-running-job', path: `${PLACE}/jobs/running`, act: (page) => openFirst(page, 'import-milk') },
  { name: '09-parent', path: `${PLACE}/jobs/running`, act: (page) => openFirst(page, 'check-quality') },
  {
    name: '10-hostile',
    path: `${PLACE}/jobs/failure?failureType=hostile`,
    act: (page) => openFirst(page, 'img'),
  },
  { name: '11-queues', path: `${PLACE}/queues` },
  {
    name: '12-add-queue',
    path: `${PLACE}/queues`,
    act: (page) => page.getByRole('button', { name: 'Add a queue' }).click(),
  },
  { name: '13-instances', path: `${PLACE}/instances` },
  { name: '14-schedules', path: `${PLACE}/schedules` },
  { name: '15-schedule', path: `${PLACE}/schedules/invoices` },
  {
    name: '16-override',
    path: `${PLACE}/schedules/inventory`,
    act: (page) => page.getByRole('button', { name: 'Override' }).click(),
  },
  {
    name: '17-confirm',
    path: `${PLACE}/schedules`,
    act: (page) => page.getByRole('button', { name: 'Hold all' }).click(),
  },
  { name: '18-help', path: PLACE, act: (page) => page.keyboard.press('?') },
  { name: '19-none', path: `${PLACE}/jobs/failure?text=nothing%20has%20this` },
  { name: '20-lost', path: `${PLACE}/nowhere` },
];

async function expectNone(page: Page, selector: string): Promise<void> {
  const one = page.locator(selector).first();
  while ((await page.locator(selector).count()) > 0) await one.waitFor({ state: 'detached' });
}

const SIZES = { desktop: { width: 1280, height: 800 }, phone: { width: 375, height: 740 } } as const;

async function take(
  browser: Browser,
  size: keyof typeof SIZES,
  colorScheme: 'light' | 'dark',
): Promise<void> {
  const context = await browser.newContext({
    viewport: SIZES[size],
    colorScheme,
    reducedMotion: 'reduce',
    locale: 'en-GB',
  });
  const page = await context.newPage();
  page.on('console', (message) => {
    if (message.type() === 'error') console.log(`${size} ${colorScheme}: ${message.text()}`);
  });
  page.on('pageerror', (error) => console.log(`${size} ${colorScheme}: ${String(error)}`));
  const shoot = async (name: string): Promise<void> => {
    await page.screenshot({ path: join(folder ?? '', `${name}-${size}-${colorScheme}.png`), fullPage: true });
    const { width } = await page.evaluate<{ width: number }>(
      '({ width: document.documentElement.scrollWidth })',
    );
    if (width > SIZES[size].width) console.log(`${name} ${size}: ${String(width)} px wide`);
  };
  await page.goto(dashboard.url);
  await page.getByLabel('Password').fill(PASSWORD);
  await shoot('00-sign-in');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Services' }).waitFor();
  for (const { name, path, act } of VIEWS.filter((view) => view.name.startsWith(only))) {
    await page.goto(`${dashboard.url}#/${path}`);
    await page.reload();
    await page.locator('h1').waitFor();
    await expectNone(page, '.skeleton');
    await act?.(page);
    await page.waitForTimeout(400);
    await shoot(name);
  }
  await context.close();
}

const browser = await launchBrowser();
try {
  for (const size of ['desktop', 'phone'] as const)
    for (const scheme of ['light', 'dark'] as const) await take(browser, size, scheme);
} finally {
  await browser.close();
}
