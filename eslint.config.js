import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

const clock = 'Time and randomness come from the clock (lib/clock.ts).';

// The rules of imports. ESLint replaces a rule's options rather than merging them, hence the lists to pick from.
const noClient = {
  group: ['@oada/client', '@oada/client/*'],
  allowTypeImports: true,
  message: 'Only lib/oada/ and lib/server/connection.ts talk to @oada/client.',
};
const noServer = {
  regex: String.raw`^(\.\.?/)+server/`,
  message: 'The embedded server stands alone: the rest of lib/ does not import it.',
};
const noCore = {
  regex: String.raw`^\.\./`,
  message: 'The embedded server stands alone: it imports nothing from the rest of lib/.',
};
const noOperator = {
  regex: String.raw`^(\.\.?/)+(operator|cli|dashboard)/`,
  message: 'Imports point one way: core, then operator/, then cli/ and dashboard/.',
};
const noFace = {
  regex: String.raw`^(\.\.?/)+(cli|dashboard)/`,
  message: 'Imports point one way: core, then operator/, then cli/ and dashboard/.',
};
const noTesting = {
  regex: String.raw`^(\.\.?/)+testing/`,
  message: 'What tests are given is built on the rest of lib/, which imports none of it.',
};
const noSelf = { group: ['@oada/jobs', '@oada/jobs/*'], message: 'Inside of lib/, import by relative path.' };
const noTimers = {
  group: ['node:timers', 'node:timers/*', 'timers', 'timers/*', 'node:perf_hooks', 'perf_hooks'],
  message: clock,
};
/** @param {object[]} patterns */
const noImport = (...patterns) => ({
  '@typescript-eslint/no-restricted-imports': ['error', { patterns: [...patterns, noTesting, noSelf] }],
});

// What a page of its own has in place of Node and of our clock.
const page = 'lib/dashboard/page/**/*.{ts,tsx}';
const noMarkup = 'What jobs hold is text, and is rendered as nothing else.';

const adapters = ['lib/oada/**/*.ts', 'lib/server/connection.ts'];

export default defineConfig(
  { ignores: ['coverage/', 'dist/', 'docs/api/', '.yarn/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },

  js.configs.recommended,

  {
    name: 'types',
    files: ['**/*.{ts,tsx}'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/ban-ts-comment': [
        'error',
        { 'ts-ignore': true, 'ts-nocheck': true, 'ts-expect-error': 'allow-with-description' },
      ],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      // Every member of a union has its case, or there is a default that says what becomes of the rest.
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      eqeqeq: 'error',
      'no-template-curly-in-string': 'error',

      // Less noise: these forbid what is plain to read.
      '@typescript-eslint/dot-notation': ['error', { allowIndexSignaturePropertyAccess: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      // What `await using` holds is used by being let go of.
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', ignoreRestSiblings: true, ignoreUsingDeclarations: true },
      ],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true, allowNever: true },
      ],
      // An async function without await still turns a throw into a rejection.
      '@typescript-eslint/require-await': 'off',
      // The reason of an AbortSignal is `any`, and is thrown as it is.
      '@typescript-eslint/only-throw-error': [
        'error',
        { allowThrowingAny: true, allowThrowingUnknown: true },
      ],
      '@typescript-eslint/prefer-promise-reject-errors': [
        'error',
        { allowThrowingAny: true, allowThrowingUnknown: true },
      ],
    },
  },

  {
    name: 'library',
    files: ['lib/**/*.{ts,tsx}'],
    rules: {
      'max-lines': ['error', 350],
      'max-lines-per-function': ['error', 60],
      'no-console': 'error',
      ...noImport(noClient, noServer, noOperator),
    },
  },
  {
    name: 'library without its adapters',
    files: ['lib/**/*.{ts,tsx}'],
    // The page's client is where the JSON of its server gets its types.
    ignores: [...adapters, 'lib/dashboard/page/client.ts'],
    rules: {
      '@typescript-eslint/ban-ts-comment': ['error', { 'ts-expect-error': true }],
      // `as const` stays allowed.
      '@typescript-eslint/consistent-type-assertions': ['error', { assertionStyle: 'never' }],
    },
  },
  {
    name: 'core: no time, no randomness',
    files: ['lib/**/*.ts'],
    ignores: ['lib/clock.ts', 'lib/testing/skipping-clock.ts', 'lib/oada/**', 'lib/server/**', page],
    rules: {
      ...noImport(noClient, noServer, noOperator, noTimers),
      'no-restricted-globals': [
        'error',
        ...['setTimeout', 'setInterval', 'setImmediate', 'performance'].map((name) => ({
          name,
          message: clock,
        })),
      ],
      'no-restricted-properties': [
        'error',
        ...[
          ['Date', 'now'],
          ['Math', 'random'],
          ['AbortSignal', 'timeout'],
          ['process', 'hrtime'],
          ...['setTimeout', 'setInterval', 'setImmediate', 'performance'].map((name) => ['globalThis', name]),
        ].map(([object, property]) => ({ object, property, message: clock })),
      ],
      'no-restricted-syntax': [
        'error',
        { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: clock },
        { selector: "CallExpression[callee.name='Date']", message: clock },
      ],
    },
  },
  {
    name: 'adapter to the client',
    files: ['lib/oada/**/*.ts'],
    rules: noImport(noServer, noOperator),
  },
  {
    name: 'operator',
    files: ['lib/operator/**/*.ts'],
    rules: noImport(noClient, noServer, noFace, noTimers),
  },
  {
    name: 'dashboard and command line',
    files: ['lib/dashboard/**/*.ts', 'lib/cli/**/*.ts'],
    ignores: [page],
    rules: noImport(noClient, noTimers),
  },
  {
    name: 'what tests are given',
    files: ['lib/testing/*.ts'],
    rules: noImport(noClient, noFace),
  },
  {
    name: 'page of the dashboard',
    files: [page],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              // One way up from the page itself, or two from one of its folders, ends at the types that it shares.
              regex: String.raw`^(?!(\.\./){1,2}api\.js$)(\.\./){2,}|^(node|@oada)[:/]`,
              message:
                'The page runs in a browser: of the rest of lib/ it knows the types of ../api.ts alone.',
            },
            { regex: String.raw`(^|/)api\.js$`, allowTypeImports: true, message: 'Types only.' },
          ],
        },
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector:
            ':matches(Identifier, JSXIdentifier)[name=/^(inner|outer)HTML$|^dangerouslySetInnerHTML$|^insertAdjacentHTML$/]',
          message: noMarkup,
        },
      ],
    },
  },
  {
    name: 'embedded server',
    files: ['lib/server/*.ts'],
    rules: noImport(noClient, noCore),
  },
  {
    name: 'embedded server: its client',
    files: ['lib/server/connection.ts'],
    rules: noImport(noCore),
  },

  {
    name: 'tests',
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      // What a server answers has no type until the test has looked at it.
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },

  {
    name: 'scripts',
    files: ['**/*.{js,mjs}'],
    languageOptions: { globals: { process: 'readonly', URL: 'readonly' } },
  },
);
