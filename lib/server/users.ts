import { createHash } from 'node:crypto';

import { generate as ksuid } from 'xksuid';

import { isResourceId } from './document.js';
import { Refusal, ServerError } from './errors.js';
import type { Graph } from './graph.js';
import type { Storage } from './storage.js';

/** A token that the server accepts. */
export interface TokenOptions {
  /** What clients send as `Authorization: Bearer <token>`. */
  readonly token: string;
  /** Whose token it is, as `users/<id>`. Without it the token has a user of its own, the same after a restart. */
  readonly user?: string;
  /** The resource that `/bookmarks` leads to, as `resources/<id>`. Without it the server makes one for the user. */
  readonly bookmarks?: string;
}

export interface User {
  readonly id: string;
  readonly bookmarks: string;
  readonly shares: string;
}

/** Who may come in, by token. */
export class Users {
  readonly #users = new Map<string, User>();

  /** @throws {ServerError} a token's options are not usable */
  static async create(tokens: readonly TokenOptions[], graph: Graph, storage: Storage): Promise<Users> {
    const users = new Users();
    for (const options of tokens) {
      checkOptions(options);
      if (users.#users.has(options.token)) throw optionError('the same token is given twice');
      users.#users.set(options.token, await makeUser(options, graph, storage));
    }
    return users;
  }

  /** @throws {Refusal} 401 */
  authenticate(authorization: string | undefined): User {
    if (authorization === undefined || authorization === '')
      throw new Refusal(401, 'missing authorization header');
    const token = authorization.startsWith('Bearer ') ? authorization.slice('Bearer '.length) : undefined;
    const user = token === undefined ? undefined : this.#users.get(token);
    if (user === undefined) throw new Refusal(401, 'invalid authorization header');
    return user;
  }
}

async function makeUser(
  { token, user, bookmarks }: TokenOptions,
  graph: Graph,
  storage: Storage,
): Promise<User> {
  const kept = async (key: string, given: string | undefined, made: () => string): Promise<string> => {
    const before = await storage.setting(key);
    const value = given ?? (typeof before === 'string' ? before : made());
    if (value !== before) await storage.commit([{ kind: 'setting', key, value }]);
    return value;
  };
  // The token itself is not stored, only what it hashes to.
  const hash = createHash('sha256').update(token).digest('hex');
  const id = await kept(`user-of:${hash}`, user, () => `users/${ksuid()}`);
  const home = {
    id,
    bookmarks: await kept(`bookmarks-of:${id}`, bookmarks, () => `resources/${ksuid()}`),
    shares: await kept(`shares-of:${id}`, undefined, () => `resources/${ksuid()}`),
  };
  await ensureResource(graph, home.bookmarks, id, 'application/vnd.oada.bookmarks.1+json');
  await ensureResource(graph, home.shares, id, 'application/vnd.oada.shares.1+json');
  return home;
}

async function ensureResource(graph: Graph, id: string, owner: string, type: string): Promise<void> {
  const made = await graph.run(() => {
    const resource = graph.need(id);
    if (!resource.header.exists) return graph.put(resource, {}, owner, type);
    if (resource.header.owner !== owner)
      throw optionError(`${id} belongs to ${resource.header.owner}, not to ${owner}`);
    return undefined;
  });
  await made?.stored;
}

function checkOptions(options: unknown): asserts options is TokenOptions {
  if (typeof options !== 'object' || options === null) {
    throw optionError('expected each to be an object like { token: "abc", user: "users/sam" }');
  }
  const { token, user, bookmarks }: Partial<Record<keyof TokenOptions, unknown>> = options;
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) {
    throw optionError('expected `token` to be a string of visible ASCII characters with no blanks');
  }
  if (user !== undefined && !(typeof user === 'string' && /^users\/[^/]+$/.test(user))) {
    throw optionError(`expected \`user\` to be like users/sam, got ${JSON.stringify(user)}`);
  }
  if (bookmarks !== undefined && !(typeof bookmarks === 'string' && isResourceId(bookmarks))) {
    throw optionError(`expected \`bookmarks\` to be like resources/abc, got ${JSON.stringify(bookmarks)}`);
  }
}

function optionError(what: string): ServerError {
  return new ServerError('OADA_SERVER_OPTIONS', `Option \`tokens\`: ${what}`);
}
