import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { fill, makeLists, withClient } from './jobs.js';
import type { Told } from './service-process.js';
import { TOKEN } from './store.js';

/** A service in a process of its own. */
export class Instance implements AsyncDisposable {
  readonly #child: ChildProcess;
  /** What it said last. */
  told: Told | undefined;
  readonly #listeners = new Set<(told: Told) => void>();

  constructor(url: string, { concurrency, work = 0 }: { concurrency: number; work?: number }) {
    const program = fileURLToPath(new URL('service-process.ts', import.meta.url));
    this.#child = fork(program, [url, TOKEN, String(concurrency), String(work)], {
      execArgv: [...process.execArgv, '--expose-gc'],
    });
    this.#child.on('message', (message) => {
      const told = message as Told;
      this.told = told;
      for (const listener of this.#listeners) listener(told);
    });
  }

  onTold(listener: (told: Told) => void): void {
    this.#listeners.add(listener);
  }

  next(what: Told['what']): Promise<Told> {
    return new Promise((resolve) => {
      const listener = (told: Told): void => {
        if (told.what !== what) return;
        this.#listeners.delete(listener);
        resolve(told);
      };
      this.onTold(listener);
    });
  }

  /** After a collection of garbage. */
  async measure(): Promise<Told> {
    const measured = this.next('measured');
    this.#child.send('measure');
    return await measured;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.disconnect();
    await exited;
  }
}

export interface Shared {
  /** Jobs per second, of all instances together, while all of them run. */
  readonly rate: number;
  /** Of all claims, those that another instance was faster with. */
  readonly wasted: number;
}

/** Has instances share jobs whose work takes `work` ms. */
export async function share(
  url: string,
  count: number,
  { total, work, prefix }: { total: number; work: number; prefix: string },
): Promise<Shared> {
  const address = { domain: url, token: TOKEN };
  await makeLists(address);
  const instances = Array.from({ length: count }, () => new Instance(url, { concurrency: 10, work }));
  await Promise.all(instances.map((instance) => instance.next('started')));
  const sum = (name: 'filed' | 'claims' | 'conflicts'): number =>
    instances.reduce((all, { told }) => all + (told?.[name] ?? 0), 0);
  // From the first hundred on, to the last: neither the start nor the end, when some have nothing left to do.
  const [from, to] = [100 * count, total - 100 * count];
  let begun: { at: number; filed: number } | undefined;
  const measured = new Promise<number>((resolve) => {
    for (const instance of instances) {
      instance.onTold(() => {
        const filed = sum('filed');
        if (begun === undefined && filed >= from) begun = { at: performance.now(), filed };
        if (begun === undefined || filed < to) return;
        resolve(((filed - begun.filed) / (performance.now() - begun.at)) * 1000);
      });
    }
  });
  await withClient(address, (client) => fill(client, total, prefix));
  const rate = await measured;
  const wasted = sum('conflicts') / (sum('claims') + sum('conflicts'));
  await Promise.all(instances.map((instance) => instance[Symbol.asyncDispose]()));
  return { rate, wasted };
}
