import type { ComponentChildren, JSX } from 'preact';

import type { Loaded } from '../load.js';
import { Icon } from './icon.js';
import type { IconName } from './icon.js';

interface NoticeProps {
  readonly tone: 'problem' | 'warning' | 'note';
  readonly title?: string;
  readonly children: ComponentChildren;
  readonly action?: JSX.Element | null;
}

export function Notice({ tone, title, children, action }: NoticeProps): JSX.Element {
  return (
    <div class={`notice ${tone}`} role={tone === 'problem' ? 'alert' : undefined}>
      <Icon name="warning" />
      <div class="notice-text">
        {title === undefined ? null : <strong>{title}</strong>}
        <span>{children}</span>
      </div>
      {action}
    </div>
  );
}

export function Empty({
  icon,
  title,
  children,
}: {
  readonly icon: IconName;
  readonly title: string;
  readonly children?: ComponentChildren;
}): JSX.Element {
  return (
    <div class="empty">
      <Icon name={icon} />
      <p class="empty-title">{title}</p>
      {children === undefined ? null : <p>{children}</p>}
    </div>
  );
}

interface WhenLoadedProps<Data> {
  readonly loaded: Loaded<Data>;
  /** What was asked for, as in `The jobs`. */
  readonly what: string;
  readonly children: (data: Data) => ComponentChildren;
}

/** What is there; before that, that it is on its way; and why it is not, with what to do about it. */
export function WhenLoaded<Data>({ loaded, what, children }: WhenLoadedProps<Data>): JSX.Element {
  const { data, error, reload } = loaded;
  return (
    <>
      {error === undefined ? null : (
        <Notice
          tone="problem"
          title={data === undefined ? `${what} could not be read.` : 'This may be out of date.'}
          action={
            <button type="button" class="button" onClick={reload}>
              <Icon name="retry" /> Try again
            </button>
          }
        >
          {error}
        </Notice>
      )}
      {data === undefined && error === undefined ? <Skeleton what={what} /> : null}
      {data === undefined ? null : children(data)}
    </>
  );
}

function Skeleton({ what }: { readonly what: string }): JSX.Element {
  return (
    <div class="skeleton" aria-busy="true">
      <span class="visually-hidden">{what} are being read</span>
      <i />
      <i />
      <i />
      <i />
    </div>
  );
}
