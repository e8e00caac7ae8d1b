import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

import { askInTurn } from './ask-in-turn.js';
import type { Asking } from './ask-in-turn.js';
import { messageOf } from './client.js';
import { useLive } from './live.js';

/** What was asked of the server. What is known stays while it is asked for again. */
export interface Loaded<Data> {
  readonly data: Data | undefined;
  /** Of the last request. */
  readonly error: string | undefined;
  readonly isLoading: boolean;
  /** When the data was told, by the clock of this machine. */
  readonly at: number | undefined;
  readonly reload: () => void;
}

interface Known<Data> {
  readonly key: string;
  readonly data: Data | undefined;
  readonly error: string | undefined;
  readonly isLoading: boolean;
  readonly at?: number;
}

/**
 * @param key what is asked for: with another, what is known of the one before is forgotten
 * @param load is given a signal that is aborted when the answer is of no more use
 */
export function useLoad<Data>(key: string, load: (signal: AbortSignal) => Promise<Data>): Loaded<Data> {
  const [known, setKnown] = useState<Known<Data>>({
    key,
    data: undefined,
    error: undefined,
    isLoading: true,
  });
  const latest = useRef(load);
  latest.current = load;
  const asking = useRef<Asking | undefined>(undefined);

  const reload = useCallback(() => {
    setKnown((old) => ({ ...old, isLoading: true }));
    asking.current?.again();
  }, []);

  useEffect(() => {
    setKnown((old) => (old.key === key ? old : { key, data: undefined, error: undefined, isLoading: true }));
    asking.current = askInTurn(async (signal, isLast) => {
      try {
        const data = await latest.current(signal);
        if (!signal.aborted) setKnown({ key, data, error: undefined, isLoading: !isLast(), at: Date.now() });
      } catch (error) {
        if (!signal.aborted) setKnown((old) => ({ ...old, error: messageOf(error), isLoading: !isLast() }));
      }
    });
    asking.current.again();
    return () => asking.current?.end();
  }, [key]);

  const isOther = known.key !== key;
  return {
    data: isOther ? undefined : known.data,
    error: isOther ? undefined : known.error,
    isLoading: isOther || known.isLoading,
    at: isOther ? undefined : known.at,
    reload,
  };
}

/** As {@link useLoad}, and asks again whenever the live connection was lost for a while. */
export function useLiveLoad<Data>(key: string, load: (signal: AbortSignal) => Promise<Data>): Loaded<Data> {
  const loaded = useLoad(key, load);
  const { losses } = useLive();
  useEffect(() => losses.follow(loaded.reload), [losses, loaded.reload]);
  return loaded;
}

/** Calls often, but does it once in a while at most. */
export function useGathered(act: () => void, pause: number): () => void {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => () => clearTimeout(timer.current), []);
  return useCallback(() => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      latest.current();
    }, pause);
  }, [pause]);
}
