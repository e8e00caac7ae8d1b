import { describe, expect, test } from 'vitest';

import { linkTo, parseRoute } from '../../../lib/dashboard/page/route.js';
import type { View } from '../../../lib/dashboard/page/route.js';

const VIEWS: readonly View[] = [
  { name: 'overview' },
  { name: 'jobs', list: 'failure' },
  { name: 'job', id: 'a/b' },
  { name: 'queues' },
  { name: 'instances' },
  { name: 'schedules' },
  { name: 'schedule', key: 'fields.north #1' },
];

describe('an address', () => {
  test.each(VIEWS)('leads to $name and back', (view) => {
    const place = { store: 'home farm / 1', service: 'dairy?%' };
    const query = { text: 'a&b=c#d', type: 'größe' };
    expect(parseRoute(linkTo(place, view, query))).toEqual({ name: 'service', place, view, query });
  });

  test('says nothing of what is not asked for', () => {
    expect(linkTo({ store: 'a', service: 'b' }, { name: 'queues' }, { text: '' })).toBe('#/a/b/queues');
  });

  test.each(['', '#', '#/'])('%j is that of the first page', (hash) => {
    expect(parseRoute(hash)).toEqual({ name: 'home' });
  });

  test.each(['#/a', '#/a/b/nowhere', '#/a/b/jobs/lost', '#/a/b/job', '#/a/b/queues/x', '#/a/b/job/c/d'])(
    '%j leads nowhere',
    (hash) => {
      expect(parseRoute(hash)).toEqual({ name: 'lost' });
    },
  );

  test('may be written by hand, also wrongly', () => {
    expect(parseRoute('#/100%/b/jobs')).toMatchObject({
      place: { store: '100%', service: 'b' },
      view: { name: 'jobs', list: 'pending' },
    });
  });
});
