import { expect, test } from 'vitest';

import { exportedNames, subpaths } from './exported-names.js';

// Where one is meant to come or go: `npx vitest run test/exports.test.ts -u`, and a line in the changelog.
test.each(subpaths())('%s exports these names', (subpath) => {
  expect(exportedNames(subpath)).toMatchSnapshot();
});
