import fastify from 'fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import { Refusal } from './errors.js';
import type { Graph } from './graph.js';
import { stringify } from './json.js';
import { MAX_BODY_BYTES, Protocol } from './protocol.js';
import type { Answer, Method, Request } from './protocol.js';
import type { Users } from './users.js';

const METHODS: Readonly<Record<string, Method>> = {
  GET: 'get',
  HEAD: 'head',
  PUT: 'put',
  POST: 'post',
  DELETE: 'delete',
};

/** What a page of another origin may send, and read from an answer. */
const CORS: Readonly<Record<string, string>> = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers':
    'x-oada-rev, x-oada-path-leftover, x-oada-delete-keeps-watches, location, content-location, etag',
};
const PREFLIGHT: Readonly<Record<string, string>> = {
  'access-control-allow-methods': 'GET, HEAD, PUT, POST, DELETE, OPTIONS',
  'access-control-allow-headers':
    'authorization, content-type, accept, if-match, if-none-match, x-oada-rev, x-oada-ensure-link, x-oada-ignore-links',
  'access-control-max-age': '86400',
};

/** The server's HTTP side; it does not listen yet. */
export function createHttpServer(graph: Graph, users: Users): FastifyInstance {
  const protocol = new Protocol(graph, stringify);
  const app = fastify({
    bodyLimit: MAX_BODY_BYTES,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 65_536 },
    frameworkErrors: (error, _request, reply) => {
      send(reply, protocol.refuse(new Refusal(error.statusCode ?? 400, error.message)));
    },
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body);
  });
  app.addHook('onRequest', (request, reply, done) => {
    // Fastify refuses types that are none, as the reference server does not: sentContentType() finds what was sent.
    if (request.headers['content-type'] !== undefined)
      request.headers['content-type'] = 'application/octet-stream';
    void reply.headers(CORS);
    done();
  });
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    send(reply, protocol.refuse(new Refusal(error.statusCode ?? 500, error.message)));
  });
  app.options('*', (_request, reply) => reply.code(204).headers(PREFLIGHT).send());
  app.route({
    method: ['GET', 'HEAD', 'PUT', 'POST', 'DELETE'],
    url: '*',
    handler: async (request, reply) => {
      send(reply, await answer(protocol, users, request));
      return reply;
    },
  });
  return app;
}

async function answer(
  protocol: Protocol<string>,
  users: Users,
  request: FastifyRequest,
): Promise<Answer<string>> {
  const method = METHODS[request.method] ?? 'get';
  const { url: path = '/' } = request.raw;
  if (!/^\/(bookmarks|shares|resources|users)([/?]|$)/.test(path)) return { status: 404, headers: {} };
  let user;
  try {
    user = users.authenticate(request.headers.authorization);
  } catch (error) {
    return protocol.refuse(error);
  }
  const base = {
    method,
    path,
    headers: { ...flat(request.headers), 'content-type': sentContentType(request) },
  };
  const bytes = Buffer.isBuffer(request.body) ? request.body : new Uint8Array();
  const withBody: Request = method === 'put' || method === 'post' ? { ...base, body: { bytes } } : base;
  return protocol.answer(withBody, user);
}

function sentContentType({ raw }: FastifyRequest): string | undefined {
  const at = raw.rawHeaders.findIndex(
    (text, index) => index % 2 === 0 && text.toLowerCase() === 'content-type',
  );
  return at < 0 ? undefined : raw.rawHeaders[at + 1];
}

function flat(headers: FastifyRequest['headers']): Record<string, string | undefined> {
  const single: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(headers))
    single[name] = Array.isArray(value) ? value.join(', ') : value;
  return single;
}

function send(reply: FastifyReply, { status, headers, body, bytes }: Answer<string>): void {
  void reply
    .code(status)
    .headers(Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, visible(value)])))
    // As bytes: to a text Fastify would add a charset, which the reference server does not send.
    .send(typeof body === 'string' ? Buffer.from(body) : bytes && Buffer.from(bytes));
}

/** Percent-encodes what may not stand in a header: ids, keys and types may hold anything. */
function visible(value: string): string {
  if (/^[\x20-\x7e]*$/.test(value)) return value;
  const whole = Buffer.from(value).toString(); // a lone surrogate has no encoding
  return whole.replace(/[^\x20-\x7e]/gu, (character) => encodeURIComponent(character));
}
