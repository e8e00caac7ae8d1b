import { setImmediate } from 'node:timers/promises';

import type { EachOptions } from '../../lib/schedule/item-options.js';
import { postResource } from '../setup.js';
import type { Stored } from '../setup.js';
import { Farm } from './farm.js';
import type { Instance } from './farm.js';

export const LIST = '/bookmarks/providers';
export const HOURLY = { list: LIST, type: 'check', every: '1h', phase: 0 } as const;
export const PLAIN = 'application/json';
export const TREE = {
  bookmarks: { _type: 'application/vnd.oada.bookmarks.1+json', providers: { _type: PLAIN } },
};

/** A farm with a list of providers. */
export class Providers {
  readonly farm: Farm;

  constructor(farm: Farm) {
    this.farm = farm;
  }

  static async start(items?: object): Promise<Providers> {
    const providers = new Providers(await Farm.start());
    if (items !== undefined) await providers.make(items);
    return providers;
  }

  async make(items: object): Promise<void> {
    await this.farm.oada.ensure({ path: LIST, data: {}, tree: TREE });
    await this.put(items);
  }

  async put(items: object): Promise<void> {
    await this.farm.oada.put({ path: LIST, data: items, contentType: PLAIN });
    await this.settle();
  }

  async remove(key: string): Promise<void> {
    await this.farm.oada.delete({ path: `${LIST}/${key}` });
    await this.settle();
  }

  /** What was heard of is done. */
  async settle(): Promise<void> {
    for (let count = 0; count < 5; count++) {
      await setImmediate();
      await this.farm.clock.idle();
    }
  }

  async add(options: Partial<EachOptions> = {}, declared = {}): Promise<Instance> {
    const instance = await this.farm.add(declared, undefined, {
      providers: { ...HOURLY, ...options },
    });
    await this.settle();
    return instance;
  }

  async resource(data: object): Promise<string> {
    return await postResource(this.farm.oada, data, PLAIN);
  }

  /** The schedules that are not retired. */
  async live(): Promise<string[]> {
    return (await this.farm.schedules.list()).filter(({ isRetired }) => !isRetired).map(({ key }) => key);
  }

  async pending(): Promise<string[]> {
    return (await this.farm.pending()).map(({ schedule }) => schedule).toSorted();
  }
}

export const isActive = (item: Stored): boolean => item.active;
