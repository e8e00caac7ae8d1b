// Recorded from the OADA reference server (OADA/server commit ec49083b).
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { OADAServer } from '@oada/jobs/server';

import { mended, unreplayable } from './mended.js';
import { replay } from './replay.js';
import type { Vector } from './replay.js';

const tokens = [
  {
    token: 'god',
    user: 'users/default:users_sam_321',
    bookmarks: 'resources/default:resources_bookmarks_321',
  },
  { token: 'abc' },
];

const vectors: Vector[] = JSON.parse(await readFile(new URL('vectors.json', import.meta.url), 'utf8'));
const musts = vectors.filter(({ kind }) => kind === 'must');
const quirks = vectors.filter(({ kind }) => kind === 'quirk');
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'oada-conformance-'));
});

afterAll(() => rm(folder, { recursive: true }));

async function replayed(vector: Vector, path?: string): Promise<string | undefined> {
  await using server = await OADAServer.start(path === undefined ? { tokens } : { tokens, path });
  return await replay(vector, server.url);
}

describe('in memory, answers as the reference server does', () => {
  test.each(musts)('$name', async (vector) => {
    expect(await replayed(vector)).toBeUndefined();
  });
});

describe('on disk, answers as the reference server does', () => {
  test.each(musts)('$name', async (vector) => {
    expect(await replayed(vector, join(folder, vector.name))).toBeUndefined();
  });
});

describe('a quirk of the reference server is either shared or mended on purpose', () => {
  test.each(quirks.filter(({ name }) => !Object.hasOwn(unreplayable, name)))('$name', async (vector) => {
    const found = await replayed(vector);
    if (Object.hasOwn(mended, vector.name)) expect(found).toBeDefined();
    else expect(found).toBeUndefined();
  });

  test('the tables name recorded quirks only, each once', () => {
    const names = [...Object.keys(mended), ...Object.keys(unreplayable)];
    expect(new Set(names).size).toBe(names.length);
    expect(quirks.map(({ name }) => name)).toEqual(expect.arrayContaining(names));
  });
});
