import { createStore } from './store.js';

export type Theme = 'auto' | 'light' | 'dark';

const KEY = 'oada-jobs-theme';
const THEMES: readonly Theme[] = ['auto', 'light', 'dark'];

export const theme = createStore<Theme>(kept());
/** Counts up whenever other colours are in force: for what is drawn on a canvas. */
export const colours = createStore(0);

function kept(): Theme {
  try {
    const value = localStorage.getItem(KEY);
    return THEMES.find((one) => one === value) ?? 'auto';
  } catch {
    // Storage is switched off in this browser.
    return 'auto';
  }
}

export function followTheme(): void {
  const apply = (): void => {
    document.documentElement.dataset['theme'] = theme.get();
    colours.change((value) => value + 1);
  };
  theme.follow(apply);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', apply);
  apply();
}

/** Auto, light, dark, and auto again. */
export function nextTheme(): void {
  const next = THEMES[(THEMES.indexOf(theme.get()) + 1) % THEMES.length] ?? 'auto';
  theme.set(next);
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // As above: it holds until the page is left.
  }
}
