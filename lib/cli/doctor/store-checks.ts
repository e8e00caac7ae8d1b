import type { Clock } from '../../clock.js';
import { StoreError, toError } from '../../errors.js';
import { storeUrl } from '../../oada/address.js';
import { HttpSockets } from '../../oada/http.js';
import type { Store } from '../../oada/store.js';
import type { StoreSettings } from '../settings.js';
import { lengthOf } from '../wording.js';
import { fail, ok, warn } from './check.js';
import type { Check } from './check.js';

const TIMEOUT_MS = 10_000;
/** Its header tells whole seconds, and takes its time to come. */
const CLOSE_MS = 5000;
const LOCAL = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\]|.*\.localhost)$/;

/** What the network between says, and the server's clock. Without a token: whatever is answered is an answer. */
export async function checkAddress(settings: StoreSettings, clock: Clock): Promise<Check[]> {
  const url = storeUrl(settings);
  const sockets = new HttpSockets(url, clock);
  const began = clock.monotonic();
  try {
    const request = { requestId: 'doctor', method: 'head', path: '/bookmarks', headers: {} } as const;
    const { headers } = await sockets.send(request, TIMEOUT_MS);
    const took = clock.monotonic() - began;
    const answers = ok(
      'address',
      `${settings.domain} answers within ${lengthOf(took)} (from ${settings.from})`,
    );
    return [answers, encryption(url), clockCheck(headers['date'], took, clock)];
  } catch (error) {
    return [fail('address', `${settings.domain}: ${toError(error).message}`, adviceFor(error))];
  } finally {
    sockets.close();
  }
}

function encryption({ protocol, hostname }: URL): Check {
  if (protocol === 'https:') return ok('TLS', 'the connection is encrypted, and the certificate is good');
  if (LOCAL.test(hostname)) return ok('TLS', 'none: the store is on this machine');
  return warn('TLS', 'the token and all jobs travel unencrypted', 'use an address with https://');
}

function clockCheck(date: string | undefined, took: number, clock: Clock): Check {
  const there = Date.parse(date ?? '');
  if (Number.isNaN(there))
    return warn('clock', 'the server does not tell its time', 'compare the clocks by hand');
  const apart = Math.abs(clock.now().getTime() - there);
  if (apart <= CLOSE_MS + took) return ok('clock', 'the clocks of this machine and of the server agree');
  const advice = 'have both set by NTP: delayed jobs, schedules and days go by these clocks';
  return warn('clock', `this machine and the server are ${lengthOf(apart)} apart`, advice);
}

function adviceFor(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return 'no such name is known: check the address, and the network';
  if (code === 'ECONNREFUSED') return 'nothing listens there: check the port, and whether the store runs';
  if (code === 'EPROTO') return 'it speaks plain HTTP: put http:// before the address';
  if (/CERT|SIGNED|TLS|ISSUER/.test(code))
    return 'its certificate is not trusted: have it renewed, or name its authority in NODE_EXTRA_CA_CERTS';
  return 'check the address, and whether the store runs and can be reached from here';
}

/** The token, over a WebSocket as services use it. */
export async function checkToken(store: Store): Promise<Check[]> {
  try {
    await store.check();
    return [ok('token', 'the store takes it'), ok('bookmarks', 'they can be read')];
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return [tokenProblem(error)];
  }
}

function tokenProblem({ code, message }: StoreError): Check {
  switch (code) {
    case 'OADA_JOBS_STORE_UNAUTHORIZED':
      return fail('token', 'the store does not take it', 'check it, or have a new one made');
    case 'OADA_JOBS_STORE_FORBIDDEN':
    case 'OADA_JOBS_STORE_NOT_FOUND':
      return fail('bookmarks', message, 'the user of the token needs bookmarks that it may read and write');
    default:
      return fail(
        'token',
        message,
        'HTTP works and a WebSocket does not: have the proxy between let it pass',
      );
  }
}
