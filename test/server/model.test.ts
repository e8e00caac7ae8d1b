import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';

import type { OADAClient } from '@oada/client';
import { OADAServer } from '@oada/jobs/server';

import { Model } from './model.js';
import type { Expected, Json } from './model.js';
import type { Answered } from './wire.js';

const tokens = [
  { token: 'own', user: 'users/own' },
  { token: 'other', user: 'users/other' },
];

const KEYS = [
  'a',
  'b',
  'l',
  '__proto__',
  'constructor',
  '0',
  '7',
  '',
  'sl/ash',
  'ti~1de',
  'nul\0',
  '\ud800',
  'ü',
];
const NAMES = ['A', 'B', 'C', '__proto__', 'foreign'];

type Operation =
  | { readonly kind: 'put'; readonly name: string; readonly path: readonly string[]; readonly value: Json }
  | { readonly kind: 'delete'; readonly name: string; readonly path: readonly string[] }
  | { readonly kind: 'write the foreign one' };

const key = fc.constantFrom(...KEYS, 'a', 'l', 'l');
const name = fc.constantFrom(...NAMES);
/** So long that its document is no longer stored as a whole. */
const LONG = 'long'.repeat(501);
const scalar: fc.Arbitrary<Json> = fc.constantFrom<Json[]>(null, true, 0, -1.5, '', 'text', '\ud800', LONG);
const link: fc.Arbitrary<Json> = fc
  .record({ target: name, versioned: fc.boolean(), extra: fc.option(scalar, { nil: undefined }) })
  .map(({ target, versioned, extra }) => ({
    _id: `resources/${target}`,
    ...(versioned ? { _rev: 0 } : {}),
    ...(extra === undefined ? {} : { b: extra }),
  }));
const value: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', maxDepth: 3 },
    { weight: 2, arbitrary: scalar },
    { weight: 1, arbitrary: fc.array(fc.constantFrom<Json[]>(1, 'x', false), { maxLength: 3 }) },
    { weight: 3, arbitrary: link },
    { weight: 1, arbitrary: fc.constant<Json>({ _rev: 3 }) },
    {
      weight: 3,
      arbitrary: fc
        .array(fc.tuple(key, tie('value')), { maxLength: 3 })
        .map((entries): Json => Object.fromEntries(entries)),
    },
  ),
})).value;
const path = fc.array(key, { maxLength: 3 });
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('put' as const), name, path, value }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('put' as const), name, path: fc.constant([]), value }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), name, path }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'write the foreign one' as const }) },
);
const operations = fc.array(operation, { minLength: 1, maxLength: 14 });

/** One sequence: its resources have names of their own, so that many share a server. */
class Run {
  readonly model: Model;
  readonly #prefix: string;
  #foreignWrites = 0;

  constructor(prefix: string) {
    this.#prefix = prefix;
    this.model = new Model([this.id('foreign')]);
  }

  id(resource: string): string {
    return `resources/${this.#prefix}${resource}`;
  }

  async apply(server: OADAServer, operation: Operation): Promise<void> {
    const client = server.client('own');
    if (operation.kind === 'write the foreign one') {
      this.#foreignWrites += 1;
      const write = {
        path: `/${this.id('foreign')}`,
        data: { writes: this.#foreignWrites },
        contentType: 'application/json',
      };
      await server.client('other').put(write);
      await this.check(client);
      return;
    }
    const id = this.id(operation.name);
    const forbidden =
      this.#foreignWrites > 0 && this.model.isForbidden(id, operation.path, operation.kind === 'delete');
    if (this.#foreignWrites === 0 && this.model.isForbidden(id, operation.path, operation.kind === 'delete'))
      return;
    const request = { path: url(id, operation.path) };
    const written = this.#renamed(operation);
    const expected: Expected = forbidden
      ? { status: 403, climbed: [] }
      : written.kind === 'put'
        ? this.model.put(id, written.path, written.value)
        : this.model.delete(id, written.path);
    const status = await statusOf(
      written.kind === 'put'
        ? client.put({ ...request, data: written.value, contentType: 'application/json' })
        : client.delete(request),
    );
    expect(status).toBe(expected.status);
    await this.#adoptClimbed(client, expected);
    await this.check(client);
    if (expected.written !== undefined) await this.#checkChange(client, expected.written, expected.change);
    await this.#checkRead(client, id, operation.path);
  }

  #renamed(operation: Exclude<Operation, { kind: 'write the foreign one' }>): typeof operation {
    const text = JSON.stringify(operation).replaceAll('"resources/', `"resources/${this.#prefix}`);
    return JSON.parse(text);
  }

  /** How often a parent's revision rises depends on the ways up to it; it has to rise, and each time with a change. */
  async #adoptClimbed(client: OADAClient, { climbed }: Expected): Promise<void> {
    for (const id of climbed) {
      const { data } = await client.get({ path: `/${id}` });
      const { _rev: rev } = data as { _rev: number };
      const before = this.model.rev(id);
      expect(rev, `revision of ${id}`).toBeGreaterThan(before);
      for (let at = before + 1; at <= rev; at += 1) {
        const { data: change } = await client.get({ path: `/${id}/_meta/_changes/${String(at)}` });
        const [first, ...nested] = change as unknown as {
          resource_id: string;
          path: string;
          type: string;
          body: Answered;
        }[];
        expect(first).toMatchObject({ resource_id: id, path: '', type: 'merge', body: { _rev: at } });
        expect(first?.body._meta.modifiedBy).toBe('system/rev_graph_update');
        for (const { path: place } of nested) expect(place).toMatch(/^\//);
      }
      this.model.adopt(id, rev);
    }
  }

  /** Compares every resource. */
  async check(client: OADAClient): Promise<void> {
    for (const resource of NAMES.filter((each) => each !== 'foreign')) {
      const id = this.id(resource);
      const answer = await client
        .get({ path: `/${id}` })
        .catch((error: unknown) => error as { status: number });
      expect(answer.status, id).toBe(this.model.exists(id) ? 200 : 404);
      if (!('data' in answer) || answer.status !== 200) continue;
      const { _id, _rev, _type, _meta, ...own } = answer.data as Record<string, Json>;
      expect([_id, _rev, _type]).toEqual([id, this.model.rev(id), 'application/json']);
      expect(_meta).toEqual({ _id: `${id}/_meta`, _rev });
      expect(canonical(own, this.model.document(id)), id).toBe(canonical(this.model.document(id)));
    }
  }

  async #checkChange(client: OADAClient, id: string, body: Json | undefined): Promise<void> {
    const { data } = await client.get({ path: `/${id}/_meta/_changes/${String(this.model.rev(id))}` });
    const [first] = data as unknown as { body: Record<string, Json> }[];
    const { _rev, _meta, _type, ...sent } = first?.body ?? {};
    expect(_rev).toBe(this.model.rev(id));
    const { _id, ...own } = body as Record<string, Json>;
    const { _id: sentId, ...sentOwn } = sent;
    expect(canonical(sentOwn)).toBe(canonical(own));
  }

  async #checkRead(client: OADAClient, id: string, at: readonly string[]): Promise<void> {
    if (this.model.isForbidden(id, at, false)) return;
    const expected = this.model.read(id, at);
    const answer = await client
      .get({ path: url(id, at) })
      .catch((error: unknown) => error as { status: number });
    expect(answer.status).toBe(expected === undefined ? 404 : 200);
  }
}

function url(id: string, segments: readonly string[]): string {
  // The slash at the end is dropped by the server, and keeps an empty key before it.
  return `/${id}${segments.map((segment) => '/' + segment.replaceAll('~', '~0').replaceAll('/', '~1')).join('')}/`;
}

async function statusOf(answer: Promise<{ status: number }>): Promise<number> {
  try {
    return (await answer).status;
  } catch (error) {
    const { status } = error as { status?: number };
    if (status === undefined) throw error;
    return status;
  }
}

/** The same text for the same JSON, whatever the order of keys. Where `like` has `_rev: 'any'`, so has the text. */
function canonical(json: unknown, like?: unknown): string {
  if (typeof json !== 'object' || json === null) return JSON.stringify(json);
  if (Array.isArray(json)) return JSON.stringify(json);
  const model = new Map(Object.entries(typeof like === 'object' && like !== null ? like : {}));
  const entries = Object.entries(json).sort(([one], [other]) => (one < other ? -1 : 1));
  const texts = entries.map(([name, child]) => {
    const text = name === '_rev' && model.get(name) === 'any' ? '"any"' : canonical(child, model.get(name));
    return `${JSON.stringify(name)}:${text}`;
  });
  return `{${texts.join(',')}}`;
}

const options = { seed: 20_240_601, endOnFailure: false } as const;
let runs = 0;
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'oada-model-'));
});
afterAll(() => rm(folder, { recursive: true }));

test(
  'documents, links and revisions are those of the model after any operations',
  { timeout: 60_000 },
  async () => {
    await using server = await OADAServer.start({ tokens });
    await fc.assert(
      fc.asyncProperty(operations, async (sequence) => {
        const run = new Run(`${String((runs += 1))}-`);
        for (const each of sequence) await run.apply(server, each);
      }),
      { ...options, numRuns: 2000 },
    );
  },
);

test('the same on disk, also after each of several restarts', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operations, { minLength: 1, maxLength: 3 }), async (lives) => {
      const run = new Run('');
      const life = join(folder, String((runs += 1)));
      for (const sequence of lives) {
        await using server = await OADAServer.start({ path: life, tokens });
        await run.check(server.client('own'));
        for (const each of sequence) await run.apply(server, each);
      }
      await using server = await OADAServer.start({ path: life, tokens });
      await run.check(server.client('own'));
    }),
    { ...options, numRuns: 60 },
  );
});
