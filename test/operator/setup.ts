import type { OADAServer } from '@oada/jobs/server';
import { onTestFinished } from 'vitest';

import { systemClock } from '../../lib/clock.js';
import { openStore } from '../../lib/oada/store.js';
import type { OperatorDeps } from '../../lib/operator/operator-deps.js';
import { pathsOf } from '../../lib/paths.js';
import { NAME, TOKEN } from '../setup.js';

/** An operator of the service of these tests. */
export function operate(server: OADAServer): OperatorDeps {
  const source = { domain: server.url, token: TOKEN };
  const store = openStore(source, { clock: systemClock, timeout: 5000, onRequest: () => undefined });
  onTestFinished(() => store.close());
  return { service: NAME, store, paths: pathsOf(NAME), clock: systemClock };
}
