import fastifyCookie from '@fastify/cookie';
import fastifyHelmet from '@fastify/helmet';
import debug from 'debug';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import { toError } from '../errors.js';
import { Access, checkCsrfToken, checkHost, checkOrigin } from './access.js';
import type { Session as SessionView } from './api.js';
import { parameter } from './input.js';
import { addLiveRoute } from './live-routes.js';
import type { ResolvedDashboard } from './options.js';
import { addPage } from './page.js';
import { answerTo, notFound, Refusal } from './problem.js';
import { Redactor } from './redactor.js';
import { addRoutes } from './routes.js';
import type { Session } from './sessions.js';
import { StoreHub } from './store-hub.js';
import { storeMetrics } from './store-metrics.js';

const log = debug('oada-jobs:dashboard');
/** In bytes, for a password of up to 1000 characters: anybody may send it. */
const LONGEST_SIGN_IN = 16 * 1024;

/** Puts the dashboard into an app, or into the part of one that is its own. */
export async function mountDashboard(app: FastifyInstance, options: ResolvedDashboard): Promise<Access> {
  const access = new Access(options, app.prefix);
  const redactor = new Redactor(options.stores.map(({ token }) => token));
  const hub = new StoreHub(options.stores, options.clock);
  app.addHook('onClose', () => hub.close());
  app.setReplySerializer((payload) => redactor.toText(payload));
  app.setErrorHandler((error, _request, reply) => {
    const { status, problem } = answerTo(error);
    if (status >= 500) log('%s', redactor.toText(toError(error).stack));
    return reply.code(status).type('application/json; charset=utf-8').send(problem);
  });
  // The default tells the address again, and with it whatever stands in it.
  app.setNotFoundHandler(() => {
    throw notFound('such address');
  });
  await addHeaders(app);
  if (!app.hasRequestDecorator('cookies')) await app.register(fastifyCookie);
  app.addHook('onRequest', async (request, reply) => {
    checkHost(request, options.hosts);
    void reply.header('cache-control', 'no-store');
  });
  addSignIn(app, access, options);
  addMetrics(app, { access, hub, options });
  await app.register(async (guarded) => {
    guarded.addHook('onRequest', (request) => admit(request, access, options));
    addLiveRoute(guarded, { access, hub, redactor, options });
    addRoutes(guarded, { hub, redactor, clock: options.clock });
  });
  await app.register(async (page) => {
    // The app around shows not even the page to whom it does not let in; otherwise people sign in on it.
    if (access.by === 'app') {
      page.addHook('onRequest', async (request) => {
        await signedIn(request, access);
      });
    }
    await addPage(page, options.pageFolder);
  });
  return access;
}

/** @throws {Refusal} nobody is signed in, or it is a change that is not to be */
async function admit(
  request: FastifyRequest,
  access: Access,
  { hosts, readOnly }: ResolvedDashboard,
): Promise<void> {
  const session = await signedIn(request, access);
  if (request.method === 'GET' || request.method === 'HEAD') return;
  checkOrigin(request, hosts);
  checkCsrfToken(request, session);
  if (readOnly)
    throw new Refusal('OADA_JOBS_DASHBOARD_READ_ONLY', 'This dashboard changes nothing: it is read-only.');
}

async function signedIn(request: FastifyRequest, access: Access): Promise<Session> {
  const session = await access.sessionOf(request);
  if (session !== undefined) return session;
  throw new Refusal('OADA_JOBS_DASHBOARD_SIGN_IN', 'Nobody is signed in.');
}

async function addHeaders(app: FastifyInstance): Promise<void> {
  const own = ["'self'"];
  await app.register(fastifyHelmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: own,
        styleSrc: own,
        imgSrc: [...own, 'data:'],
        fontSrc: own,
        connectSrc: own,
        manifestSrc: own,
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    referrerPolicy: { policy: 'no-referrer' },
    xFrameOptions: { action: 'deny' },
    strictTransportSecurity: false, // whether it is reached by https alone, the proxy before it knows
  });
}

function addSignIn(app: FastifyInstance, access: Access, { readOnly, hosts }: ResolvedDashboard): void {
  app.get('/api/session', async (request): Promise<SessionView> => {
    const session = await access.sessionOf(request);
    const { by } = access;
    return { signedIn: session !== undefined, by, readOnly, csrfToken: session?.csrfToken ?? '' };
  });
  app.post('/api/session', { bodyLimit: LONGEST_SIGN_IN }, async (request, reply) => {
    checkOrigin(request, hosts);
    await access.signInByPassword(request, reply);
    return noContent(reply);
  });
  app.delete('/api/session', async (request, reply) => {
    const session = await signedIn(request, access);
    checkOrigin(request, hosts);
    checkCsrfToken(request, session);
    access.signOut(request, reply);
    return noContent(reply);
  });
  app.get('/sign-in/:token', { exposeHeadRoute: false }, async (request, reply) => {
    access.signInByLink(parameter(request.params, 'token'), request, reply);
    return reply.redirect(`${app.prefix}/`, 303);
  });
}

function noContent(reply: FastifyReply): FastifyReply {
  return reply.code(204).send();
}

function addMetrics(
  app: FastifyInstance,
  { access, hub, options }: { access: Access; hub: StoreHub; options: ResolvedDashboard },
): void {
  if (options.metrics === false) return;
  const metrics = options.metrics === true ? storeMetrics(hub, options.clock) : options.metrics;
  app.get('/metrics', async (request, reply) => {
    if (!options.publicMetrics) await signedIn(request, access);
    return reply.type(metrics.contentType).send(await metrics.metrics());
  });
}
