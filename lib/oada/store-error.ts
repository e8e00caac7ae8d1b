import { StoreError } from '../errors.js';
import type { StoreErrorCode } from '../errors.js';

/** What an error of the client, or of the network below it, means. Nothing of the request goes along: it holds a token. */
export function toStoreError(error: unknown, method: string, path: string): StoreError {
  if (error instanceof StoreError) return error;
  const { code, message, status } = describe(error);
  const request = `${method.toUpperCase()} ${path}`;
  const [storeCode, advice] = meaning(status, code);
  return new StoreError(storeCode, `${request}: ${message}. ${advice}`, { status, path });
}

function meaning(status: number | undefined, code: string | undefined): [StoreErrorCode, string] {
  switch (status) {
    case 401:
      return [
        'OADA_JOBS_STORE_UNAUTHORIZED',
        'The store does not accept the token: check it, or ask for a new one.',
      ];
    case 403:
      return ['OADA_JOBS_STORE_FORBIDDEN', 'The token belongs to a user who may not do this.'];
    case 404:
      return ['OADA_JOBS_STORE_NOT_FOUND', 'There is nothing at this path.'];
    case 412:
      return ['OADA_JOBS_STORE_CONFLICT', 'It was changed by somebody else meanwhile.'];
    default:
  }
  if (status !== undefined && (status >= 500 || status === 429)) {
    return ['OADA_JOBS_STORE_FAILED', 'The store could not do it now; it may work later.'];
  }
  if (status !== undefined && status >= 400)
    return ['OADA_JOBS_STORE_REFUSED', 'The store does not take this request.'];
  if (code === 'REQUEST_TIMEDOUT')
    return ['OADA_JOBS_STORE_TIMEOUT', 'The store may be overloaded, or its network slow.'];
  if (code === 'EPROTO')
    return ['OADA_JOBS_STORE_UNREACHABLE', 'If it speaks plain HTTP, put http:// before the address.'];
  return ['OADA_JOBS_STORE_UNREACHABLE', 'Check the address, and whether the store is running.'];
}

function describe(error: unknown): { status: number | undefined; code: string | undefined; message: string } {
  if (typeof error !== 'object' || error === null)
    return { status: undefined, code: undefined, message: String(error) };
  const { code, status, message } = Object.fromEntries(
    ['code', 'status', 'message'].map((key): [string, unknown] => [
      key,
      key in error ? Reflect.get(error, key) : undefined,
    ]),
  );
  const number = [status, code].map(Number).find((value) => value >= 100 && value < 600);
  const text = typeof code === 'string' ? code : undefined;
  const said = typeof message === 'string' && message !== '' ? message : (text ?? 'the connection failed');
  // What OpenSSL says when the other side does not speak TLS at all.
  if (text === 'EPROTO') return { status: number, code: text, message: 'the server does not speak TLS' };
  return { status: number, code: text, message: said };
}
