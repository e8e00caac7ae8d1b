import { readFile } from 'node:fs/promises';

import { expect, test } from 'vitest';

test('docs/server.md lists the codes of ServerError, and no others', async () => {
  const codesIn = async (path: string): Promise<string[]> => {
    const text = await readFile(new URL(`../../${path}`, import.meta.url), 'utf8');
    return [...new Set(text.match(/\bOADA_SERVER_[A-Z_]+\b/g))].sort();
  };
  expect(await codesIn('docs/server.md')).toEqual(await codesIn('lib/server/errors.ts'));
});
