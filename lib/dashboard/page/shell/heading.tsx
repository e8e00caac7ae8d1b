import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

interface HeadingProps {
  readonly title: string;
  /** What stands above it, small: where it belongs to. */
  readonly above?: ComponentChildren;
  /** Beside it: a state, say. */
  readonly beside?: ComponentChildren;
  /** At its right: what can be done. */
  readonly children?: ComponentChildren;
}

let isFirst = true;

/** The heading of a view. Where the view is new, it has the focus, so that it is read out, and the keyboard starts there. */
export function Heading({ title, above, beside, children }: HeadingProps): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (!isFirst) {
      heading.current?.focus({ preventScroll: true });
      scrollTo({ top: 0, behavior: 'instant' });
    }
    isFirst = false;
  }, []);
  useEffect(() => {
    document.title = `${title} · Jobs`;
  }, [title]);
  return (
    <div class="heading">
      <div class="heading-text">
        {above === undefined ? null : <p class="above">{above}</p>}
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {beside}
      </div>
      {children === undefined ? null : <div class="heading-actions">{children}</div>}
    </div>
  );
}
