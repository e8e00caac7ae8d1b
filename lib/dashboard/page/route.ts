// Where the page is stands behind the `#` of its address, so that each view is a link, and the server knows of one
// page alone.
import type { ListRequest } from '../api.js';

/** The service that a view is of. */
export interface Place {
  readonly store: string;
  readonly service: string;
}

export type ListName = ListRequest['list'];
export const LISTS: readonly ListName[] = ['pending', 'running', 'success', 'failure'];

export type View =
  | { readonly name: 'overview' }
  | { readonly name: 'jobs'; readonly list: ListName }
  | { readonly name: 'job'; readonly id: string }
  | { readonly name: 'queues' }
  | { readonly name: 'instances' }
  | { readonly name: 'schedules' }
  | { readonly name: 'schedule'; readonly key: string };

export type Route =
  | { readonly name: 'home' }
  | { readonly name: 'lost' }
  | { readonly name: 'service'; readonly place: Place; readonly view: View; readonly query: Query };

/** What is searched for and filtered by. */
export type Query = Readonly<Record<string, string>>;

/** Which jobs of a list are asked for, by the names that they have in the address. */
export const JOB_FILTERS = ['text', 'type', 'owner', 'day', 'failureType'] as const;
export type JobFilter = (typeof JOB_FILTERS)[number];

export function parseRoute(hash: string): Route {
  const [path = '', search = ''] = hash.replace(/^#?\/?/, '').split(/\?(.*)/s);
  const parts = path
    .split('/')
    .filter((part) => part !== '')
    .map(decode);
  const [store, service, ...rest] = parts;
  if (store === undefined) return { name: 'home' };
  if (service === undefined) return { name: 'lost' };
  const view = parseView(rest);
  if (view === undefined) return { name: 'lost' };
  const query = Object.fromEntries(new URLSearchParams(search));
  return { name: 'service', place: { store, service }, view, query };
}

function parseView([noun, name, ...rest]: readonly string[]): View | undefined {
  if (rest.length > 0) return undefined;
  if (noun === undefined) return { name: 'overview' };
  if (noun === 'jobs') {
    const list = LISTS.find((one) => one === (name ?? 'pending'));
    return list === undefined ? undefined : { name: 'jobs', list };
  }
  if (noun === 'job' && name !== undefined) return { name: 'job', id: name };
  if (noun === 'schedules')
    return name === undefined ? { name: 'schedules' } : { name: 'schedule', key: name };
  if (name !== undefined) return undefined;
  return noun === 'queues' || noun === 'instances' ? { name: noun } : undefined;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // Somebody wrote a lone `%`: it is taken as it stands.
    return part;
  }
}

/** The address of a view. What is empty in the query is left out. */
export function linkTo({ store, service }: Place, view: View, query: Query = {}): string {
  const path = [store, service, ...partsOf(view)].map(encodeURIComponent).join('/');
  const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== '')).toString();
  return search === '' ? `#/${path}` : `#/${path}?${search}`;
}

function partsOf(view: View): string[] {
  switch (view.name) {
    case 'overview':
      return [];
    case 'jobs':
      return ['jobs', view.list];
    case 'job':
      return ['job', view.id];
    case 'schedule':
      return ['schedules', view.key];
    default:
      return [view.name];
  }
}

export const HOME = '#/';
