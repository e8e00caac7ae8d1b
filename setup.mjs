// Installs the dependencies where they are missing or out of date, so that `npm test` and the like work on a fresh
// clone. npm runs this before those scripts; Yarn does not, because who has Yarn runs `yarn install`.
// It uses nothing but Node, since nothing else is there yet.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('.', import.meta.url));
const yarnState = new URL('node_modules/.yarn-state.yml', import.meta.url); // Yarn writes it when all is in place
const stamp = new URL('node_modules/.oada-jobs-setup', import.meta.url);

const manifest = readFileSync(new URL('package.json', import.meta.url), 'utf8');
const wanted = createHash('sha256')
  .update(manifest)
  .update(readFileSync(new URL('yarn.lock', import.meta.url)))
  .update(`${process.platform} ${process.arch}`) // some packages hold binaries
  .digest('hex');

const startedByYarn = process.env.npm_config_user_agent?.startsWith('yarn/') === true;
if (!startedByYarn && !isDone()) install();

function isDone() {
  return existsSync(yarnState) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted;
}

function install() {
  const [major = 0] = process.versions.node.split('.').map(Number);
  if (major < 20) fail(`This project needs Node 20 or later; this is Node ${process.versions.node}.`);
  const version = /^yarn@(\d[\w.-]*)/.exec(JSON.parse(manifest).packageManager)?.[1];
  if (version === undefined) fail('"packageManager" in package.json does not name a version of Yarn.');

  const command = `npx -y @yarnpkg/cli-dist@${version} install --immutable`;
  process.stderr.write(`Installing the dependencies with Yarn ${version} ...\n`);
  // All output goes to stderr: stdout belongs to the script that is about to run. The shell finds npx.cmd on Windows.
  const { status, error } = spawnSync(command, {
    cwd: root,
    env: environment(),
    shell: true,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) {
    fail(
      `The dependencies could not be installed (${error?.message ?? `exit code ${status}`}); see above for the reason.\n` +
        'Where package.json has changed, yarn.lock has to follow it: run the command below without --immutable.\n' +
        `    ${command}`,
    );
  }
  writeFileSync(stamp, wanted);
}

/** The variables for npx and Yarn, without those by which npm hands the flags of its own call down to every child. */
function environment() {
  const env = { ...process.env, YARN_IGNORE_PATH: '1' };
  for (const name of Object.keys(env)) {
    if (
      /^npm_config_(call|dry_run|global|location|package|workspaces?|include_workspace_root)$/i.test(name)
    ) {
      delete env[name];
    }
  }
  // Yarn does not read the settings of npm; a mirror that npm is told to use is the only one some networks reach.
  const registry = env.npm_config_registry;
  if (registry) env.YARN_NPM_REGISTRY_SERVER ??= registry;
  return env;
}

function fail(message) {
  process.stderr.write(`\n${message}\n`);
  process.exit(1);
}
