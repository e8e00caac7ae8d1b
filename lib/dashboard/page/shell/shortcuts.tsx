import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

import { Dialog } from '../elements/dialog.js';
import { HOME, linkTo } from '../route.js';
import { goTo } from '../router.js';
import type { Route, View } from '../route.js';
import { createStore, useStore } from '../store.js';

const help = createStore(false);

export function showHelp(): void {
  help.set(true);
}

/** After `g`, where each letter goes to in a service. */
const PLACES: Readonly<Record<string, { readonly name: string; readonly view: View }>> = {
  o: { name: 'Overview of the service', view: { name: 'overview' } },
  j: { name: 'Jobs: Pending', view: { name: 'jobs', list: 'pending' } },
  r: { name: 'Jobs: Running', view: { name: 'jobs', list: 'running' } },
  d: { name: 'Jobs: Success', view: { name: 'jobs', list: 'success' } },
  f: { name: 'Jobs: Failure', view: { name: 'jobs', list: 'failure' } },
  s: { name: 'Schedules', view: { name: 'schedules' } },
  q: { name: 'Queues', view: { name: 'queues' } },
  i: { name: 'Instances', view: { name: 'instances' } },
};

/** How long after `g` a letter is waited for. */
const CHORD_MS = 1500;

export function useShortcuts(route: Route): void {
  const latest = useRef(route);
  latest.current = route;
  useEffect(() => {
    let goUntil = 0;
    const act = (event: KeyboardEvent): boolean => {
      const isGoing = event.timeStamp < goUntil;
      goUntil = 0;
      if (event.key === '?') help.set(true);
      else if (event.key === '/') return focusSearch();
      else if (isGoing) return go(event.key, latest.current);
      else if (event.key === 'g') goUntil = event.timeStamp + CHORD_MS;
      else return false;
      return true;
    };
    const listener = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (isTyping(event.target) || document.querySelector('dialog[open]') !== null) return;
      if (act(event)) event.preventDefault();
    };
    addEventListener('keydown', listener);
    return () => removeEventListener('keydown', listener);
  }, []);
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !['checkbox', 'radio', 'button'].includes(target.type);
  return (
    target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement || target.isContentEditable
  );
}

function focusSearch(): boolean {
  const field = document.querySelector('[data-search]');
  if (!(field instanceof HTMLInputElement)) return false;
  field.focus();
  field.select();
  return true;
}

function go(letter: string, route: Route): boolean {
  if (letter === 'h') {
    goTo(HOME);
    return true;
  }
  const place = PLACES[letter];
  if (place === undefined || route.name !== 'service') return false;
  goTo(linkTo(route.place, place.view));
  return true;
}

export function Help(): JSX.Element | null {
  if (!useStore(help)) return null;
  return (
    <Dialog title="Keyboard shortcuts" onClose={() => help.set(false)}>
      <dl class="keys">
        <Keys keys={['/']} name="Search" />
        <Keys keys={['g', 'h']} name="All services" />
        {Object.entries(PLACES).map(([letter, { name }]) => (
          <Keys key={letter} keys={['g', letter]} name={name} />
        ))}
        <Keys keys={['?']} name="This help" />
        <Keys keys={['Esc']} name="Close a dialog" />
      </dl>
    </Dialog>
  );
}

function Keys({ keys, name }: { readonly keys: readonly string[]; readonly name: string }): JSX.Element {
  return (
    <div>
      <dt>
        {keys.map((key) => (
          <kbd key={key}>{key}</kbd>
        ))}
      </dt>
      <dd>{name}</dd>
    </div>
  );
}
