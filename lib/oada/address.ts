import { ConfigError } from '../errors.js';

/** A store and the token to come in with. */
export interface StoreAddress {
  /** `oada.example.org`, or a URL: `https://oada.example.org`, `http://localhost:3000` */
  readonly domain: string;
  readonly token: string;
}

/**
 * The URL of a store.
 *
 * @throws {ConfigError} the domain or the token cannot be one; never shows the token
 */
export function storeUrl({ domain, token }: { readonly domain?: unknown; readonly token?: unknown }): URL {
  if (typeof domain !== 'string' || domain.trim() === '') {
    throw new ConfigError(
      'expected `domain` to be the address of an OADA store, like oada.example.org; is its variable set?',
    );
  }
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) {
    throw new ConfigError('expected `token` to be a text of visible ASCII characters; is its variable set?');
  }
  const named = /^[a-z][a-z0-9+.-]*:\/\//i.test(domain) ? domain : `https://${domain}`;
  const url = URL.canParse(named) ? new URL(named) : undefined;
  // It is not shown where it may hold a secret.
  if (/[@?#]/.test(domain)) throw new ConfigError('expected `domain` to hold no user, password, `?` or `#`');
  if (url === undefined || !['http:', 'https:', 'ws:', 'wss:'].includes(url.protocol)) {
    throw new ConfigError(
      `expected \`domain\` to be like oada.example.org or http://localhost:3000, got ${JSON.stringify(domain)}`,
    );
  }
  url.protocol = url.protocol.replace('ws', 'http');
  return url;
}
