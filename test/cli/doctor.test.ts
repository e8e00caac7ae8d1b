import { expect, it } from 'vitest';

import { serviceChecks } from '../../lib/cli/actions/doctor.js';
import type { Check } from '../../lib/cli/doctor/check.js';
import { StoreError } from '../../lib/errors.js';
import type { StoreErrorCode } from '../../lib/errors.js';
import type { Store } from '../../lib/oada/store.js';
import { storeReader } from '../../lib/operator/lists.js';
import { operate } from '../operator/setup.js';
import { BASE, makeService, NAME, read, startServer } from '../setup.js';

interface Scene {
  readonly store: Store;
  readonly examine: (changes: Partial<Store>) => Promise<Check[]>;
  readonly keys: () => Promise<string[]>;
}

async function setUp(): Promise<Scene> {
  const server = await startServer();
  await makeService(server).start();
  const deps = operate(server);
  const { store } = deps;
  const examine = async (changes: Partial<Store>): Promise<Check[]> => {
    const changed: Store = {
      client: store.client,
      check: () => store.check(),
      get: (path) => store.get(path),
      head: (path) => store.head(path),
      put: (path, data, options) => store.put(path, data, options),
      delete: (path, options) => store.delete(path, options),
      ensure: (path, tree) => store.ensure(path, tree),
      watch: (path) => store.watch(path),
      close: () => store.close(),
      ...changes,
    };
    const session = {
      service: NAME,
      store: changed,
      deps: { ...deps, store: changed },
      lists: storeReader({ store: changed }),
    };
    const checks: Check[] = [];
    for await (const check of serviceChecks(session)) checks.push(check);
    return checks;
  };
  const keys = async (): Promise<string[]> => Object.keys(await read(server.client(), BASE)).toSorted();
  return { store, examine, keys };
}

function refusal(code: StoreErrorCode, path: string): StoreError {
  return new StoreError(code, `${path} is out of order.`, { path });
}

const statesOf = (checks: readonly Check[]): Record<string, string> =>
  Object.fromEntries(checks.map(({ check, state }) => [check, state]));

it('oada-jobs doctor tells of a check that the store refuses, and goes on', async () => {
  const { store, examine } = await setUp();
  const checks = await examine({
    get: (path) =>
      path.endsWith('/instances')
        ? Promise.reject(refusal('OADA_JOBS_STORE_FORBIDDEN', path))
        : store.get(path),
  });
  expect(statesOf(checks)).toEqual({
    ...{ service: 'ok', permissions: 'ok', layout: 'ok', lists: 'ok', instances: 'fail' },
  });
  expect(checks.at(-1)).toMatchObject({
    found: expect.stringContaining('is out of order'),
    advice: expect.stringContaining('the user of the token'),
  });
});

it('oada-jobs doctor ends with what it has found when the store goes away', async () => {
  const { store, examine } = await setUp();
  const checks = await examine({
    head: (path) =>
      path.endsWith('/pending')
        ? Promise.reject(refusal('OADA_JOBS_STORE_UNREACHABLE', path))
        : store.head(path),
  });
  expect(statesOf(checks)).toEqual({ service: 'ok', permissions: 'ok', lists: 'fail' });
});

it('oada-jobs doctor takes out what it wrote, also where it cannot read it', async () => {
  const { store, examine, keys } = await setUp();
  const before = await keys();
  const checks = await examine({
    get: (path) =>
      path.includes('/doctor-')
        ? Promise.reject(refusal('OADA_JOBS_STORE_FORBIDDEN', path))
        : store.get(path),
  });
  expect(statesOf(checks)['permissions']).toBe('fail');
  expect(await keys()).toEqual(before);
});
