import { setTimeout as sleep } from 'node:timers/promises';

import { TOKEN } from './names.js';

/** Until the server has answered; it may be away. Undefined: there is nothing. */
export async function get(url: string, path: string): Promise<unknown> {
  const response = await insist(url, path, {});
  return response.status === 404 ? undefined : await response.json();
}

/** Until the server has taken it. */
export async function put(url: string, path: string, data: object, type = 'application/json'): Promise<void> {
  const body = JSON.stringify(data);
  await insist(url, path, { method: 'PUT', body, headers: { 'content-type': type } });
}

async function insist(
  url: string,
  path: string,
  options: { method?: string; body?: string; headers?: Record<string, string> },
): Promise<Response> {
  for (;;) {
    try {
      const headers = { ...options.headers, authorization: `Bearer ${TOKEN}` };
      const response = await fetch(url + path, { ...options, headers, signal: AbortSignal.timeout(5000) });
      if (response.ok || (response.status === 404 && options.method === undefined)) return response;
      throw new Error(`${path}: ${String(response.status)} ${await response.text()}`);
    } catch {
      await sleep(100);
    }
  }
}
