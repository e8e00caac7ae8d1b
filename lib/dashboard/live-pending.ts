import type { Json } from '../json.js';
import type { ListEntry } from '../operator/lists.js';
import type { OperatorDeps } from '../operator/operator-deps.js';
import type { Layout, LayoutName } from '../paths.js';
import { PendingLists } from '../pending-lists.js';
import { KeptLinks } from './kept-links.js';
import { Opening } from './opening.js';
import { CHECK_MS } from './view-of-list.js';

export interface LivePendingOptions {
  readonly changed: () => void;
  readonly added: (entries: readonly ListEntry[]) => void;
  /** Jobs have left a list: they may be filed. */
  readonly left: () => void;
  readonly lost: (error: Error) => void;
}

/** The pending lists of both layouts, as they stand. */
export class LivePending {
  readonly #options: LivePendingOptions;
  readonly #links: Readonly<Record<LayoutName, KeptLinks>>;
  readonly #paths: OperatorDeps['paths'];
  readonly #lists: PendingLists;
  readonly #opening: Opening;
  #isKept = false;
  readonly #listed = new Set<LayoutName>();

  constructor({ store, clock, paths }: OperatorDeps, options: LivePendingOptions) {
    this.#options = options;
    this.#paths = paths;
    this.#links = { classic: new KeptLinks(), nested: new KeptLinks() };
    this.#lists = new PendingLists({
      ...{ store, clock, paths, checkInterval: CHECK_MS },
      ...{ layout: 'auto', prefersNested: false, isOnlooker: true },
      observer: {
        listed: (layout, entries) => {
          this.#replace(layout, entries);
        },
        changed: (layout, key, written) => {
          const added = this.#links[layout.name].put(key, written);
          if (added !== undefined) options.added([added]);
          options.changed();
        },
        removed: (layout, key) => {
          if (this.#links[layout.name].remove(key)) options.left();
          options.changed();
        },
        lost: options.lost,
      },
    });
    this.#opening = new Opening({
      clock,
      open: async () => {
        await this.#lists.start();
        this.#isKept = true;
        options.changed();
      },
      onMissing: () => undefined,
      onFailed: options.lost,
    });
  }

  get tried(): Promise<void> {
    return this.#opening.tried;
  }

  get size(): number {
    return this.#links.classic.entries.length + this.#links.nested.entries.length;
  }

  /** Of a list that is in view. */
  entries(path: string): readonly ListEntry[] | undefined {
    if (!this.#isKept) return undefined;
    if (path === this.#paths.classic.pending) return this.#links.classic.entries;
    return path === this.#paths.nested.pending ? this.#links.nested.entries : undefined;
  }

  /** Resolves when {@link LivePending.entries} tells of a list, if ever; undefined for a list that is not pending. */
  opened(path: string): Promise<void> | undefined {
    const { classic, nested } = this.#paths;
    return path === classic.pending || path === nested.pending ? this.tried : undefined;
  }

  /** The key of a job that is pending. */
  keyOf(id: string): string | undefined {
    const isIt = (entry: ListEntry): boolean => entry.id === id;
    return (this.#links.classic.entries.find(isIt) ?? this.#links.nested.entries.find(isIt))?.key;
  }

  look(): void {
    this.#opening.look();
  }

  async refresh(): Promise<void> {
    if (this.#isKept) await this.#lists.refresh();
    else this.look();
  }

  stop(): void {
    this.#opening.stop();
    this.#lists.stop();
  }

  #replace({ name }: Layout, entries: ReadonlyMap<string, Json>): void {
    const { added, isLess } = this.#links[name].replace(entries);
    const isFirst = !this.#listed.has(name) && !this.#isKept;
    this.#listed.add(name);
    if (!isFirst && added.length > 0) this.#options.added(added);
    if (isLess) this.#options.left();
    this.#options.changed();
  }
}
