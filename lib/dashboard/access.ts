// Who may ask the dashboard for something, and from where.
import { setMaxListeners } from 'node:events';
import { isIP } from 'node:net';

import type { FastifyReply, FastifyRequest } from 'fastify';

import type { Session as SessionView } from './api.js';
import { passwordFrom } from './input.js';
import type { ResolvedDashboard } from './options.js';
import { Password } from './password.js';
import { Refusal } from './problem.js';
import { isSame, secret, Sessions } from './sessions.js';
import type { Session } from './sessions.js';

/** The part of an address by which somebody signs in, once. */
export interface SignInLink {
  readonly token: string;
}

const LINK_MS = 15 * 60_000;

/** Lets people in: with a password, with an address that works once, or as the app around it says. */
export class Access {
  readonly by: SessionView['by'];
  readonly #options: ResolvedDashboard;
  readonly #sessions: Sessions;
  readonly #password: Password | undefined;
  /** Of all who the app around lets in. */
  readonly #guest: Session = { csrfToken: secret(), over: new AbortController().signal };
  readonly #prefix: string;
  #link: { readonly token: string; readonly expires: number } | undefined;

  /** @param prefix that it is mounted under */
  constructor(options: ResolvedDashboard, prefix: string) {
    const { clock, sessionTimeout, password, authenticate } = options;
    setMaxListeners(0, this.#guest.over); // each page that is open listens
    this.#options = options;
    this.#prefix = prefix;
    this.#sessions = new Sessions(clock, sessionTimeout);
    this.#password = password === undefined ? undefined : new Password(password, clock);
    if (authenticate !== undefined) this.by = 'app';
    else this.by = password === undefined ? 'link' : 'password';
  }

  /** The one before is worth nothing any more. */
  newLink(): SignInLink {
    const { clock } = this.#options;
    const token = secret();
    this.#link = { token, expires: clock.monotonic() + LINK_MS };
    return { token };
  }

  async sessionOf(request: FastifyRequest): Promise<Session | undefined> {
    const { authenticate } = this.#options;
    if (authenticate === undefined) return this.#sessions.find(cookieOf(request));
    return (await authenticate(request)) ? this.#guest : undefined;
  }

  async signInByPassword(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    if (this.#password === undefined)
      throw new Refusal('OADA_JOBS_DASHBOARD_REQUEST', 'Nobody signs in here with a password.');
    await this.#password.check(passwordFrom(request.body), request.ip);
    this.#begin(request, reply);
  }

  /** @throws {Refusal} it was used, or is too old */
  signInByLink(token: string, request: FastifyRequest, reply: FastifyReply): void {
    const { clock } = this.#options;
    const link = this.#link;
    if (link === undefined || link.expires <= clock.monotonic() || !isSame(link.token, token)) {
      const message =
        'This address was used, or is older than 15 minutes. Start the dashboard again for another one.';
      throw new Refusal('OADA_JOBS_DASHBOARD_SIGN_IN', message);
    }
    this.#link = undefined;
    this.#begin(request, reply);
  }

  signOut(request: FastifyRequest, reply: FastifyReply): void {
    const name = cookieName(request);
    this.#sessions.end(cookieOf(request));
    void reply.clearCookie(name, this.#cookie(request));
  }

  #begin(request: FastifyRequest, reply: FastifyReply): void {
    const name = cookieName(request);
    this.#sessions.end(cookieOf(request));
    void reply.setCookie(name, this.#sessions.create(), this.#cookie(request));
  }

  #cookie({ protocol }: FastifyRequest): {
    path: string;
    httpOnly: true;
    sameSite: 'strict';
    secure: boolean;
  } {
    return { path: `${this.#prefix}/`, httpOnly: true, sameSite: 'strict', secure: protocol === 'https' };
  }
}

/** Cookies are of a host, whatever the port: two dashboards on one machine must not take each other's. */
function cookieName({ socket }: FastifyRequest): string {
  return `oada-jobs-${String(socket.localPort ?? 0)}`;
}

/** An app around may parse cookies later than we need them. */
function cookieOf(request: FastifyRequest): string | undefined {
  return request.server.parseCookie(request.headers.cookie ?? '')[cookieName(request)];
}

/**
 * Pages of others can have a name of theirs lead to this machine, and are the same origin then. So the name has to be one of
 * ours; an address cannot be made to lead elsewhere.
 *
 * @throws {Refusal}
 */
export function checkHost({ host }: FastifyRequest, hosts: ReadonlySet<string>): void {
  const name = hostnameOf(host);
  if (name === 'localhost' || isIP(name) !== 0 || hosts.has(name)) return;
  const message = `The dashboard does not go by the name ${JSON.stringify(name)}: name it among its \`hosts\`.`;
  throw new Refusal('OADA_JOBS_DASHBOARD_HOST', message);
}

function hostnameOf(host: string): string {
  const [, bracketed, plain] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(host.toLowerCase()) ?? [];
  return bracketed ?? plain ?? '';
}

/**
 * What changes something has to come from the dashboard's own page.
 *
 * @throws {Refusal}
 */
export function checkOrigin({ headers, host }: FastifyRequest, hosts: ReadonlySet<string>): void {
  const { origin } = headers;
  const site = headers['sec-fetch-site'];
  const isOwn = origin === undefined || isOriginOf(origin, host, hosts);
  if (isOwn && (site === undefined || site === 'same-origin' || site === 'none')) return;
  throw new Refusal('OADA_JOBS_DASHBOARD_ORIGIN', 'This is taken from the page of the dashboard only.');
}

/** Behind a proxy the name may be another than browsers know: one of `hosts`. */
function isOriginOf(origin: string, host: string, hosts: ReadonlySet<string>): boolean {
  if (!URL.canParse(origin)) return false;
  const url = new URL(origin);
  return /^https?:$/.test(url.protocol) && (sameHost(url, host) || hosts.has(url.hostname));
}

/** Browsers leave a scheme's own port out. */
function sameHost({ host, protocol }: URL, other: string): boolean {
  const own = other.toLowerCase();
  return host === own || (own.endsWith(protocol === 'https:' ? ':443' : ':80') && own.startsWith(`${host}:`));
}

/** @throws {Refusal} */
export function checkCsrfToken({ headers }: FastifyRequest, { csrfToken }: Session): void {
  const given = headers['x-csrf-token'];
  if (typeof given === 'string' && isSame(given, csrfToken)) return;
  const message = 'The header x-csrf-token is not that of the session: load the page again.';
  throw new Refusal('OADA_JOBS_DASHBOARD_ORIGIN', message);
}
