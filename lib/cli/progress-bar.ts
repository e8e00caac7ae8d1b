import type { Sink } from './sink.js';

/** How far long work is. */
export interface ProgressBar {
  update(done: number): void;
  stop(): void;
}

const NONE: ProgressBar = Object.freeze<ProgressBar>({ update: () => undefined, stop: () => undefined });

/** @param label is ours: nothing of it is made safe */
export async function openProgressBar(stderr: Sink, label: string, total: number): Promise<ProgressBar> {
  if (stderr.isTTY !== true || stderr !== process.stderr) return NONE;
  const { SingleBar } = (await import('cli-progress')).default;
  const bar = new SingleBar({
    format: `${label} {bar} {value} of {total}`,
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
    gracefulExit: false, // Ctrl-C is ours
  });
  bar.start(total, 0);
  return {
    update: (done) => {
      bar.update(done);
    },
    stop: () => {
      bar.stop();
    },
  };
}
