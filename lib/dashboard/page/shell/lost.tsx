import type { JSX } from 'preact';

import { HOME } from '../route.js';
import { Heading } from './heading.js';

export function LostView(): JSX.Element {
  return (
    <>
      <Heading title="There is no such page" />
      <p>
        The address leads nowhere. <a href={HOME}>All services</a> are on the first page.
      </p>
    </>
  );
}
