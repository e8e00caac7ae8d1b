import type { RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

/** Of a row of links that may be wider than its room: the one that leads here is moved to where it is seen. */
export function useCurrentInView<Row extends HTMLElement>(current: string): RefObject<Row | null> {
  const row = useRef<Row>(null);
  useEffect(() => {
    const link = row.current?.querySelector('[aria-current]');
    if (row.current === null || !(link instanceof HTMLElement)) return;
    row.current.scrollLeft = link.offsetLeft - (row.current.clientWidth - link.offsetWidth) / 2;
  }, [current]);
  return row;
}
