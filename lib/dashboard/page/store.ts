import { useEffect, useState } from 'preact/hooks';

/** A value that components follow. */
export interface Store<Value> {
  readonly get: () => Value;
  readonly set: (value: Value) => void;
  readonly change: (how: (value: Value) => Value) => void;
  /** @returns what ends it */
  readonly follow: (listener: () => void) => () => void;
}

export function createStore<Value>(initial: Value): Store<Value> {
  let current = initial;
  const listeners = new Set<() => void>();
  const set = (value: Value): void => {
    if (Object.is(value, current)) return;
    current = value;
    for (const listener of [...listeners]) listener();
  };
  return {
    get: () => current,
    set,
    change: (how) => set(how(current)),
    follow: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** The value, and the component is rendered again whenever it changes. */
export function useStore<Value>(store: Store<Value>): Value {
  const [, render] = useState({});
  useEffect(() => {
    let seen = store.get();
    const look = (): void => {
      if (Object.is(seen, store.get())) return;
      seen = store.get();
      render({});
    };
    const end = store.follow(look);
    // It may have changed between the rendering and this effect.
    render({});
    return end;
  }, [store]);
  return store.get();
}
