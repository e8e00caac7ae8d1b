export interface Asking {
  /** Asks, as soon as what is under way has ended: what it answers may be of before. */
  readonly again: () => void;
  /** Asks no more, and aborts what is under way. */
  readonly end: () => void;
}

/**
 * Asks one at a time. However often it is to ask again meanwhile, what is under way is let end, so that there is an answer,
 * and then it asks once more.
 *
 * @param ask is told whether the answer is to be followed by no other; it does not throw
 */
export function askInTurn(ask: (signal: AbortSignal, isLast: () => boolean) => Promise<void>): Asking {
  const ending = new AbortController();
  let isUnderWay = false;
  let isAgain = false;
  const run = async (): Promise<void> => {
    isUnderWay = true;
    while (isAgain && !ending.signal.aborted) {
      isAgain = false;
      await ask(ending.signal, () => !isAgain);
    }
    isUnderWay = false;
  };
  return {
    again: () => {
      isAgain = true;
      if (!isUnderWay) void run();
    },
    end: () => ending.abort(),
  };
}
