import { expect, test } from 'vitest';

import { deferred, jobOf, postJob, runJob } from '../../setup.js';
import { openScene, row, useBrowser } from './setup.js';

useBrowser();

type Page = Awaited<ReturnType<typeof openScene>>['page'];

/** Keeps the streams of the page, and of each that is closed while it is open, how many others are. */
const SPY = `
  window.streams = [];
  window.others = [];
  const isOpen = (stream) => stream.readyState === EventSource.OPEN;
  window.EventSource = class extends EventSource {
    constructor(...given) {
      super(...given);
      window.streams.push(this);
    }
    close() {
      if (isOpen(this)) window.others.push(window.streams.filter(isOpen).length - 1);
      super.close();
    }
  };`;
const OPEN = 'window.streams.filter(({ readyState }) => readyState !== EventSource.CLOSED).length';

async function setHidden(page: Page, isHidden: boolean): Promise<void> {
  await page.evaluate(
    `Object.defineProperty(document, 'hidden', { value: ${String(isHidden)}, configurable: true });
     document.dispatchEvent(new Event('visibilitychange'))`,
  );
}

test('nothing is pushed to a page that is hidden; when it is shown, it tells of what happened meanwhile', async () => {
  const { service, oada, page, open } = await openScene();
  service.on('plough', '1m', () => ({}));
  await service.start();
  await page.addInitScript(SPY);
  await page.reload();
  await open('jobs/success');
  await page.getByText('No success yet').waitFor();
  expect(await page.evaluate(OPEN)).toBe(1);
  await setHidden(page, true);
  expect(await page.evaluate(OPEN)).toBe(0);
  await runJob(service, oada, jobOf('plough'), 'meanwhile');
  expect(await row(page, 'meanwhile').count()).toBe(0);
  await setHidden(page, false);
  await row(page, 'meanwhile').waitFor();
  expect(await page.evaluate(OPEN)).toBe(1);
});

test('the stream of other jobs is open before the one before it is closed', async () => {
  const { service, oada, page, open } = await openScene();
  const finish = deferred();
  service.on('plough', '1m', async () => {
    await finish.promise;
    return {};
  });
  await service.start();
  await page.addInitScript(SPY);
  await page.reload();
  await open('jobs/pending');
  await postJob(oada, jobOf('plough'), 'followed');
  await row(page, 'followed').getByRole('link').click();
  await page.getByRole('heading', { name: 'plough' }).waitFor();
  finish.resolve();
  await page.locator('.heading .state.success').waitFor();
  await expect.poll(() => page.evaluate('window.others.length')).toBeGreaterThan(0);
  await expect.poll(() => page.evaluate(OPEN)).toBe(1);
  expect(await page.evaluate('Math.min(...window.others)')).toBe(1);
});

test('the services are asked for only while somebody looks, and at once when somebody does again', async () => {
  const { service, page, address } = await openScene();
  await service.start();
  await page.clock.install();
  await page.goto(`${address}#/`);
  await page.reload();
  await page.getByText('As of').waitFor();
  const asked: string[] = [];
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  const times = (): number => asked.filter((path) => path === '/api/stores').length;
  const answered = async (act: () => Promise<void>): Promise<void> => {
    const answer = page.waitForResponse(/\/api\/stores$/);
    await act();
    await answer;
  };
  await setHidden(page, true);
  await page.clock.runFor(60_000);
  await answered(() => setHidden(page, false));
  expect(times()).toBe(1);
  await answered(() => page.clock.runFor(15_000));
  expect(times()).toBe(2);
});
