import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { exportedNames, subpaths } from '../exported-names.js';
import { loadedBy, ofPackages } from '../loaded-files.js';
import { Command } from './process.js';

// The package as its users get it: packed, and installed into empty folders as the README says.

const root = fileURLToPath(new URL('../../', import.meta.url));

interface Manifest {
  readonly packageManager: string;
  readonly devDependencies: Readonly<Record<string, string>>;
}

let folder = '';
let tarball = '';
let files: readonly string[] = [];
let manifest: Manifest;
let readme = '';

async function run(line: string, cwd: string = folder): Promise<string> {
  return await new Command(line, cwd).succeeded();
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'oada-jobs-package-'));
  manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Manifest;
  readme = await readFile(join(root, 'README.md'), 'utf8');
  // What it would be built by has been run already: see package.json.
  const told = await run(`npm pack --ignore-scripts --json --pack-destination "${folder}"`, root);
  const [packed] = JSON.parse(told) as [{ filename: string; files: { path: string }[] }];
  tarball = join(folder, packed.filename);
  files = packed.files.map(({ path }) => path);
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe('the tarball', () => {
  test('holds what users need, and nothing of how it is made', () => {
    const others = files.filter((path) => !path.startsWith('dist/'));
    expect(others.toSorted()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json']);
    const built = files.filter((path) => path.startsWith('dist/'));
    const page = /^dist\/dashboard\/page\/(index\.html|assets\/[\w.-]+\.(js|css|svg))$/;
    const [ofPage, ofLibrary] = [true, false].map((is) => built.filter((path) => page.test(path) === is));
    expect(ofPage!.length).toBeGreaterThan(3);
    // Neither tests nor state of the compiler, nor maps to sources that are not there.
    const types = ofLibrary!.filter((path) => /^dist\/([a-z-]+\/)*[a-z-]+\.d\.ts$/.test(path));
    const code = ofLibrary!.filter((path) => /^dist\/([a-z]+\/)?[\w-]+\.js$/.test(path));
    expect(types.length).toBeGreaterThan(200);
    expect(types.length + code.length).toBe(ofLibrary!.length);
    // What is imported and run by its name, and what these share.
    const entries = ['index', 'server/index', 'dashboard/index', 'testing/index', 'cli/main'];
    expect(code.filter((path) => !path.startsWith('dist/chunks/')).toSorted()).toEqual(
      entries.map((name) => `dist/${name}.js`).toSorted(),
    );
  });

  test('loads few files where it is imported, and the packages that the sources import', async () => {
    const urlOf = (file: string): string => pathToFileURL(join(root, file)).href;
    const [built, sources] = await Promise.all(
      ['dist/index.js', 'lib/index.ts'].map((file) => loadedBy(urlOf(file))),
    );
    const own = built!.filter((url) => url.startsWith(urlOf('dist/')));
    expect(own.toSorted()).toEqual(
      ['chunks/base.js', 'chunks/core.js', 'index.js'].map((name) => urlOf(`dist/${name}`)),
    );
    expect(ofPackages(built!)).toEqual(ofPackages(sources!));
    const ofCommandLine = ofPackages(await loadedBy(urlOf('dist/cli/main.js'), '--version'));
    expect(ofCommandLine.filter((file) => !file.startsWith('commander/'))).toEqual([]);
  });

  test('is what publint and attw have no complaint about', async () => {
    await run(`npx publint run --strict "${tarball}"`, root);
    // It is an ES module, and says so: how CommonJS and the resolution of old compilers see it is not looked at.
    await run(`npx attw --profile esm-only "${tarball}"`, root);
  });
});

/** Prints what each subpath exports. */
const importer = `
const names = {};
for (const subpath of ${JSON.stringify(subpaths())})
  names[subpath] = Object.keys(await import('@oada/jobs' + subpath.slice(1))).sort();
console.log(JSON.stringify(names));
`;

function jsonOf(text: string): unknown {
  return JSON.parse(text.trim().split('\n').at(-1) ?? '');
}

function expectedExports(): unknown {
  return Object.fromEntries(subpaths().map((subpath) => [subpath, exportedNames(subpath).values]));
}

async function emptyFolder(name: string): Promise<string> {
  const cwd = join(folder, name);
  await mkdir(cwd);
  await writeFile(join(cwd, 'names.js'), importer);
  return cwd;
}

/** What the README shows, with a place that is marked by brackets. */
function shown(pattern: RegExp): string {
  const found = pattern.exec(readme)?.[1];
  if (found === undefined) throw new Error(`The README does not show ${String(pattern)}`);
  return found;
}

describe('installed with npm', () => {
  let cwd = '';

  beforeAll(async () => {
    cwd = await emptyFolder('with npm');
    await run(shown(/^(npm init .*)$/m), cwd);
    await run(shown(/^(npm install .*)$/m).replace('@oada/jobs', `"${tarball}"`), cwd);
    await writeFile(join(cwd, 'service.ts'), shown(/<!-- run: greeter -->\n\n```ts\n(.*?)```/s));
    const { typescript, '@types/node': node } = manifest.devDependencies;
    await run(`npm install -D "typescript@${typescript}" "@types/node@${node}"`, cwd);
  });

  test('each subpath can be imported, and exports what it is meant to', async () => {
    expect(jsonOf(await run('node names.js', cwd))).toEqual(expectedExports());
  });

  test.each(['node16', 'nodenext', 'bundler'])(
    'its types hold with the resolution %s',
    async (resolution) => {
      const imports = subpaths().map((subpath, index) => {
        const { values, types } = exportedNames(subpath);
        const names = [...values, ...types.map((name) => `type ${name}`)].map(
          (name) => `${name} as ${name.replace('type ', '')}${String(index)}`,
        );
        return `export { ${names.join(', ')} } from '@oada/jobs${subpath.slice(1)}';\n`;
      });
      await writeFile(join(cwd, 'all.ts'), imports.join(''));
      const module = resolution === 'bundler' ? 'esnext' : resolution;
      // The types of all that it needs are checked as well.
      const options = `--noEmit --strict --skipLibCheck false --target es2022 --types node --module ${module}`;
      await run(`npx tsc ${options} --moduleResolution ${resolution} all.ts service.ts`, cwd);
    },
  );

  test('the service of the README does a job that comes from the command line', async () => {
    await using server = new Command('npx oada-jobs serve --memory', cwd);
    const [, domain = '', tokenFile = ''] = await server.printed(
      /OADA_DOMAIN=(\S+) OADA_TOKEN="\$\(cat '(.+)'\)"/,
    );
    const store = { OADA_DOMAIN: domain, OADA_TOKEN: (await readFile(tokenFile, 'utf8')).trim() };
    await using service = new Command(shown(/^(npx tsx .*)$/m), cwd, store);
    await service.printed(/Waiting for jobs/);
    const added = new Command(`${shown(/^(npx oada-jobs add .*--wait)$/m)} --json`, cwd, store);
    expect(JSON.parse(await added.succeeded())).toMatchObject({ result: { greeting: 'Hello, world!' } });
    await service.interrupt();
    await server.interrupt();
  });

  test('the dashboard of the command line has its page', async () => {
    const nobody = { OADA_DOMAIN: 'http://127.0.0.1:9', OADA_TOKEN: 'none' };
    await using dashboard = new Command('npx oada-jobs dashboard --port 0', cwd, nobody);
    const [, address = ''] = await dashboard.printed(/The dashboard is at (\S+?\/)sign-in/);
    const page = await fetch(address);
    const [, script = ''] = /<script [^>]*src="(.+?)"/.exec(await page.text()) ?? [];
    expect((await fetch(new URL(script, page.url))).headers.get('content-type')).toContain('javascript');
    await dashboard.interrupt();
  });
});

describe('installed with Yarn, by Plug and Play,', () => {
  let cwd = '';
  const yarn = (): string => `npx -y @yarnpkg/cli-dist@${manifest.packageManager.replace('yarn@', '')}`;

  beforeAll(async () => {
    cwd = await emptyFolder('with Yarn');
    const pin = shown(/("resolutions": \{.*?\})/);
    await writeFile(join(cwd, 'package.json'), `{ "type": "module", ${pin} }`);
    await writeFile(join(cwd, 'yarn.lock'), ''); // else Yarn looks for a project in the folders above
    await run(`${yarn()} add "${tarball}"`, cwd);
  });

  test('each subpath can be imported, with nothing that it has not asked for', async () => {
    expect(jsonOf(await run(`${yarn()} node names.js`, cwd))).toEqual(expectedExports());
  });

  test('finds what is loaded when it is asked for', async () => {
    const program = `
import { parseAttachment, Service } from '@oada/jobs';
new Service('farm', 'localhost', 'none').on('plough', { timeout: '5s', config: { type: 'object' } }, () => {});
console.log(JSON.stringify(parseAttachment(btoa('field\\nNorth'))));
`;
    await writeFile(join(cwd, 'asking.js'), program);
    expect(jsonOf(await run(`${yarn()} node asking.js`, cwd))).toEqual([{ field: 'North' }]);
  });

  test('the command line runs', async () => {
    expect(await run(`${yarn()} oada-jobs --version`, cwd)).toMatch(/^\d+\.\d+\.\d+/);
  });
});
