import type { Sink } from './sink.js';

/** How far long work is. */
export interface ProgressBar {
  /** Whether anything is seen of it: nothing else can be printed to the same terminal meanwhile. */
  readonly isShown: boolean;
  update(done: number): void;
  stop(): void;
}

const NONE: ProgressBar = Object.freeze<ProgressBar>({
  isShown: false,
  update: () => undefined,
  stop: () => undefined,
});

/** @param label is ours: nothing of it is made safe */
export async function openProgressBar(stderr: Sink, label: string, total: number): Promise<ProgressBar> {
  if (total === 0 || stderr.isTTY !== true || stderr !== process.stderr) return NONE;
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
    isShown: true,
    update: (done) => {
      bar.update(done);
    },
    stop: () => {
      bar.stop();
    },
  };
}
