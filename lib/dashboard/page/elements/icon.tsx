import type { JSX } from 'preact';

/** Drawn in a box of 20 by 20, with lines in the colour of the text around. */
const PATHS = {
  overview: 'M3 17h14M5.5 14v-4M10 14V4.5M14.5 14V8',
  jobs: 'M3 5h3M3 10h3M3 15h3M9 5h8M9 10h8M9 15h8',
  schedules: 'M10 5.5V10l3 2M10 17.2a7.2 7.2 0 1 0 0-14.4 7.2 7.2 0 0 0 0 14.4Z',
  queues: 'M3.5 5.5h13v4h-13zM3.5 12.5h9.5M3.5 15.8h6',
  instances: 'M4 4h12v5H4zM4 11h12v5H4zM7 6.5h.01M7 13.5h.01',
  home: 'M3 9.5 10 4l7 5.5M5 8.5V16h10V8.5',
  search: 'M9 14.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11Zm4-1.5 4 4',
  close: 'm5 5 10 10M15 5 5 15',
  more: 'M5 10h.01M10 10h.01M15 10h.01',
  back: 'M16 10H4m5-5-5 5 5 5',
  next: 'M4 10h12m-5-5 5 5-5 5',
  retry: 'M4.5 8.5A6 6 0 1 1 4 11M4.5 4.5v4h4',
  stop: 'M5.5 5.5h9v9h-9z',
  pause: 'M7 5v10M13 5v10',
  play: 'M6.5 4.5v11l9-5.5z',
  trash: 'M4 6h12M8 6V4h4v2M6 6l.7 10h6.6L14 6',
  plus: 'M10 4v12M4 10h12',
  copy: 'M7 7h9v9H7zM4 13V4h9',
  sun: 'M10 13.2a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4ZM10 2.5v1.4M10 16.1v1.4M2.5 10h1.4M16.1 10h1.4M4.7 4.7l1 1M14.3 14.3l1 1M4.7 15.3l1-1M14.3 5.7l1-1',
  moon: 'M15.8 12A6.5 6.5 0 0 1 8 4.2 6.5 6.5 0 1 0 15.8 12Z',
  auto: 'M10 16.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13Zm0 0v-13',
  help: 'M7.6 7.6c.2-1.5 1.2-2.3 2.5-2.3 1.4 0 2.5.9 2.5 2.2 0 1.9-2.5 1.9-2.5 3.900M10.1 14.700h.01',
  leave: 'M8 4H4v12h4M8 10h9m-3.5-3.500L17 10l-3.5 3.5',
  warning: 'M10 3.5 2.8 16.200h14.400zM10 8.500v3.500M10 14.200h.01',
  done: 'm5 10.5 3.2 3.200L15 6.8',
  edit: 'M4 16v-3l8.5-8.5 3 3L7 16z',
} as const;

export type IconName = keyof typeof PATHS;

/** Says nothing to a screen reader: a text beside it, or the label of its button, does. */
export function Icon({ name }: { readonly name: IconName }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** Three furrows that run to the horizon. */
export function Mark(): JSX.Element {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="8" />
      <path d="M6 13q10-6 20 0M16 14v12M11.5 14.6 7 25M20.5 14.6 25 25" />
    </svg>
  );
}
