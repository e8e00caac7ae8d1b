import { parseRoute } from './route.js';
import type { Route } from './route.js';
import { createStore, useStore } from './store.js';

const hash = createStore(location.hash);
addEventListener('hashchange', () => hash.set(location.hash));

export function useRoute(): Route {
  return parseRoute(useStore(hash));
}

export function goTo(link: string): void {
  location.hash = link;
}

/** Changes the address without a step back to the one before: for what is typed. */
export function replaceWith(link: string): void {
  history.replaceState(null, '', link);
  hash.set(link);
}
