import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';

import { absolute, duration, relative } from '../format.js';
import { createStore, useStore } from '../store.js';

/** The clock of this machine, once a second, while somebody looks. */
const now = createStore(Date.now());
let followers = 0;
let timer: ReturnType<typeof setInterval> | undefined;

const tick = (): void => {
  if (!document.hidden) now.set(Date.now());
};

export function useNow(): number {
  useEffect(() => {
    followers++;
    timer ??= setInterval(tick, 1000);
    return () => {
      followers--;
      if (followers > 0) return;
      clearInterval(timer);
      timer = undefined;
    };
  }, []);
  return useStore(now);
}

/** How long ago or until then, and the exact time in UTC for whoever points at it. */
export function Ago({ time }: { readonly time: string }): JSX.Element {
  const at = Date.parse(time);
  const latest = useNow();
  if (Number.isNaN(at)) return <span>{time}</span>;
  return (
    <time dateTime={time} title={absolute(time)}>
      {relative(at, latest)}
    </time>
  );
}

/** How long it has been at work. */
export function Running({ since }: { readonly since: string }): JSX.Element {
  const elapsed = Math.max(0, useNow() - Date.parse(since));
  return (
    <span title={`since ${absolute(since)}`}>
      {Number.isNaN(elapsed) ? '–' : elapsed < 1000 ? '0 s' : duration(Math.floor(elapsed / 1000) * 1000)}
    </span>
  );
}
