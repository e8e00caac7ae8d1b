import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export const TOKEN = 'bench';

export interface StoreProcess extends AsyncDisposable {
  readonly url: string;
}

/** An embedded server on disk, in a process of its own. @param tokens of further users */
export async function startStore(path: string, tokens: readonly string[] = []): Promise<StoreProcess> {
  const program = fileURLToPath(new URL('store-process.ts', import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, program, path, TOKEN, ...tokens], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return {
    url: line.toString().trim(),
    [Symbol.asyncDispose]: async () => {
      const exited = once(child, 'exit');
      child.stdin.end(); // it stops when nobody is there any more
      await exited;
    },
  };
}
