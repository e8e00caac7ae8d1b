import { onTestFinished } from 'vitest';

import { openProxy } from './tcp-proxy.js';
import type { Proxy } from './tcp-proxy.js';

/** A way to a server that can be broken; it is closed when the test is over. */
export async function startProxy(target: string): Promise<Proxy> {
  const proxy = await openProxy(target);
  onTestFinished(() => {
    proxy.close();
  });
  return proxy;
}
