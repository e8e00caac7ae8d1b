import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

import { messageOf } from '../client.js';
import { createStore, useStore } from '../store.js';
import { Icon } from './icon.js';
import { withNewest } from './toast-list.js';

interface ToastAction {
  readonly label: string;
  readonly act: () => void;
}

interface Toast {
  readonly id: number;
  /** What it tells of is still to come, and can be called off by it. */
  readonly isHeld: boolean;
  readonly tone: 'done' | 'problem';
  readonly text: string;
  readonly action?: ToastAction | undefined;
  /** How long it stays, in milliseconds; those without stay until they are closed. */
  readonly stays?: number | undefined;
}

const toasts = createStore<readonly Toast[]>([]);
let last = 0;
const STAYS_MS = 6000;
const MOST = 4;
/** How long something that cannot be taken back is put off. */
const UNDO_MS = 5000;

function show(toast: Omit<Toast, 'id'>): number {
  const id = ++last;
  toasts.change((shown) => withNewest(shown, { ...toast, id }, MOST));
  return id;
}

function close(id: number): void {
  toasts.change((shown) => shown.filter((toast) => toast.id !== id));
}

export function tell(text: string, action?: ToastAction): void {
  show({ tone: 'done', isHeld: false, text, action, stays: STAYS_MS });
}

export function tellProblem(error: unknown): void {
  show({ tone: 'problem', isHeld: false, text: messageOf(error) });
}

/**
 * Does it in a while, so that it can be called off. Where the page is left before, it is done at that moment.
 *
 * @param act is told whether the page is being left
 */
export function later(text: string, act: (isLeaving: boolean) => void): void {
  const done = new AbortController();
  const doIt = (isLeaving: boolean): void => {
    done.abort();
    clearTimeout(timer);
    close(id);
    act(isLeaving);
  };
  const timer = setTimeout(() => doIt(false), UNDO_MS);
  addEventListener('pagehide', () => doIt(true), { signal: done.signal });
  const undo = (): void => {
    done.abort();
    clearTimeout(timer);
    close(id);
    tell('Nothing was done.');
  };
  const id = show({ tone: 'done', isHeld: true, text, action: { label: 'Undo', act: undo } });
}

/** Where they are shown. Stands on the page once, and is there before the first of them, so that they are read out. */
export function Toasts(): JSX.Element {
  const shown = useStore(toasts);
  return (
    <div class="toasts" role="status" aria-live="polite">
      {shown.map((toast) => (
        <ToastLine key={toast.id} toast={toast} />
      ))}
    </div>
  );
}

function ToastLine({
  toast: { id, tone, isHeld, text, action, stays },
}: {
  readonly toast: Toast;
}): JSX.Element {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const start = (): void => {
    if (stays !== undefined) timer.current = setTimeout(() => close(id), stays);
  };
  const hold = (): void => clearTimeout(timer.current);
  useEffect(() => {
    start();
    return hold;
  }, []);
  return (
    <div
      class={`toast ${tone}${isHeld ? ' counting' : ''}`}
      role={tone === 'problem' ? 'alert' : undefined}
      onPointerEnter={hold}
      onPointerLeave={start}
      onFocusIn={hold}
      onFocusOut={start}
    >
      <Icon name={tone === 'done' ? 'done' : 'warning'} />
      <span class="toast-text">{text}</span>
      {action === undefined ? null : (
        <button
          type="button"
          class="button small"
          onClick={() => {
            close(id);
            action.act();
          }}
        >
          {action.label}
        </button>
      )}
      {isHeld ? null : (
        <button
          type="button"
          class="button quiet icon-only small"
          aria-label="Close"
          onClick={() => close(id)}
        >
          <Icon name="close" />
        </button>
      )}
    </div>
  );
}
