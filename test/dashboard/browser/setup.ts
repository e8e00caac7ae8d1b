import { startDashboard } from '@oada/jobs/dashboard';
import type { Service, ServiceOptions } from '@oada/jobs';
import type { OADAServer } from '@oada/jobs/server';
import type { OADAClient } from '@oada/client';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, onTestFinished } from 'vitest';

import { ensureLists, makeService, NAME, startServer, TOKEN } from '../../setup.js';
import { buildPage, launchBrowser } from './browser.js';
import type { BuiltPage } from './browser.js';

let browser: Browser;
let built: BuiltPage;

/** To be called by each file, before its tests. */
export function useBrowser(): void {
  beforeAll(async () => {
    [browser, built] = await Promise.all([launchBrowser(), buildPage()]);
  }, 60_000);
  afterAll(async () => {
    await browser.close();
    await built[Symbol.asyncDispose]();
  });
}

export interface Scene {
  readonly server: OADAServer;
  readonly oada: OADAClient;
  readonly service: Service;
  readonly page: Page;
  /** Where the dashboard is, without the part that signs in. */
  readonly address: string;
  /** Opens a view of the service, as by its link. */
  readonly open: (path: string) => Promise<void>;
  readonly stopDashboard: () => Promise<void>;
  /** What the policy of the page has refused, and what has gone wrong on it. */
  readonly mishaps: readonly string[];
}

export interface SceneOptions {
  readonly context?: BrowserContextOptions;
  readonly service?: ServiceOptions;
  readonly password?: string;
  readonly readOnly?: boolean;
}

export const STORE = 'farm';

/** A store, a service that is yet to be given its work and started, and a page that is signed in where there is no password. */
export async function openScene(options: SceneOptions = {}): Promise<Scene> {
  const { context, password, readOnly = false } = options;
  const server = await startServer();
  const oada = server.client(TOKEN);
  await ensureLists(oada);
  const service = makeService(server, 'in process', options.service);
  const dashboard = await startDashboard({
    stores: [{ name: STORE, domain: server.url, token: TOKEN }],
    pageFolder: built.folder,
    readOnly,
    ...(password !== undefined && { password }),
  });
  onTestFinished(() => dashboard.stop());
  const page = await newPage(context);
  const mishaps: string[] = [];
  page.on('console', (message) => {
    if (/Content Security Policy|Refused to/i.test(message.text())) mishaps.push(message.text());
  });
  page.on('pageerror', (error) => mishaps.push(String(error)));
  page.on('dialog', (dialog) => {
    mishaps.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  const address = new URL('/', dashboard.url).href;
  await page.goto(dashboard.url);
  await page.locator('h1').waitFor();
  return {
    ...{ server, oada, service, page, address, mishaps },
    open: async (path) => {
      await page.goto(`${address}#/${STORE}/${NAME}${path === '' ? '' : `/${path}`}`);
      await page.locator('.live-sign.live').waitFor();
    },
    stopDashboard: () => dashboard.stop(),
  };
}

async function newPage(options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ locale: 'en-GB', reducedMotion: 'reduce', ...options });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  return page;
}

/** The row of a table that has a text in it. */
export function row(page: Page, text: string): Locator {
  return page.getByRole('row').filter({ hasText: text });
}

export function button(page: Page | Locator, name: string): Locator {
  return page.getByRole('button', { name, exact: true });
}

/** In the dialog that is open. */
export async function answer(page: Page, name: string): Promise<void> {
  await page.getByRole('dialog').getByRole('button', { name, exact: true }).click();
}

/** Waits for what is told at the corner of the page. */
export async function told(page: Page, text: string | RegExp): Promise<void> {
  await page.locator('.toasts').getByText(text).waitFor();
}
