// A process with descendants: `family.mjs <mark> <generations> [stubborn] [quits] [silent]`.
//   stubborn  none of them heeds SIGTERM
//   quits     the first ends at once, with status 0, and leaves the others behind
//   silent    the others hold none of its outputs
import { spawn } from 'node:child_process';
import console from 'node:console';
import { setInterval } from 'node:timers';

const [mark, generations, ...traits] = process.argv.slice(2);
if (traits.includes('stubborn')) process.on('SIGTERM', () => console.log('not yet'));
console.log('born');
if (Number(generations) > 1) {
  const stdio = traits.includes('silent') ? 'ignore' : 'inherit';
  const args = [
    process.argv[1],
    mark,
    String(Number(generations) - 1),
    ...traits.filter((trait) => trait !== 'quits'),
  ];
  const child = spawn(process.execPath, args, { stdio });
  if (traits.includes('quits')) {
    await new Promise((resolve) => child.once('spawn', resolve));
    process.exit(0);
  }
}
process.title = `grown ${mark}`; // for those who look
setInterval(() => undefined, 60_000);
