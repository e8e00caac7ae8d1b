import type { Graph } from './graph.js';
import type { Json, Node } from './json.js';
import type { Place } from './place.js';

/** A change log as it was when it was asked for. */
export interface ChangeLog {
  readonly id: string;
  readonly rev: number;
  readonly hiddenUpTo: number;
  /** The revision as it stands in the path; undefined where it is the whole log that is asked for. */
  readonly asked: string | undefined;
}

/** The change log that the place is in; undefined where it is in none. */
export function changeLogAt({ resource, segments }: Place): ChangeLog | undefined {
  const { exists, rev, hiddenUpTo } = resource.header;
  const [meta, changes, asked] = segments;
  if (!exists || meta?.key !== '_meta' || changes?.key !== '_changes') return undefined;
  return { id: resource.id, rev, hiddenUpTo, asked: asked?.key };
}

/** The links to all revisions, or the change document of the one that is asked for. */
export async function readChangeLog(graph: Graph, { id, rev, hiddenUpTo, asked }: ChangeLog): Promise<Node> {
  const isShown = (at: number): boolean => at > hiddenUpTo && at <= rev;
  if (asked === undefined) {
    const shown = (await graph.revisions(id)).filter(isShown);
    const link = (at: number): Node =>
      new Map<string, Node>([
        ['_id', `${id}/_meta/_changes/${String(at)}`],
        ['_rev', at],
      ]);
    return new Map(shown.map((at) => [String(at), link(at)]));
  }
  const at = Number(asked);
  // What the reference server says of a revision that there cannot be.
  if (!(at > 0)) return [{ resource_id: id, path: '', body: null, type: 'delete' }];
  const change = isShown(at) ? await graph.change(id, at) : [];
  return change.map((part): Json => ({ ...part }));
}
