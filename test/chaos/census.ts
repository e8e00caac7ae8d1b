import { EventEmitter, getEventListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a process holds. */
export interface Census {
  /** Bytes of the heap, after garbage was collected. */
  readonly heap: number;
  /** Sockets, timers and the like, by kind. */
  readonly resources: Readonly<Record<string, number>>;
  /** On all emitters and abort signals that are alive. */
  readonly listeners: number;
}

const emitters = new Set<WeakRef<EventEmitter>>();
const signals = new Set<WeakRef<AbortSignal>>();
/** Marks what is in one of these: a WeakSet would grow with all that was ever in it. */
const NOTED = Symbol('noted');

/** Has all emitters and signals counted that are listened to from now on. */
export function beginCensus(): void {
  for (const name of ['on', 'addListener', 'once', 'prependListener'] as const) {
    noteTargets(EventEmitter.prototype, name, emitters);
  }
  noteTargets(AbortSignal.prototype, 'addEventListener', signals);
}

/** From now on each object that the method is called on is noted. */
function noteTargets<T extends object>(prototype: T, method: string, all: Set<WeakRef<T>>): void {
  const original: unknown = Reflect.get(prototype, method);
  if (typeof original !== 'function') throw new Error(`There is no ${method}`);
  Reflect.set(prototype, method, function (this: T, ...args: unknown[]) {
    note(this, all);
    return Reflect.apply(original, this, args) as unknown;
  });
}

function note<T extends object>(target: T, all: Set<WeakRef<T>>): void {
  if (NOTED in target) return;
  Object.defineProperty(target, NOTED, { value: true });
  all.add(new WeakRef(target));
}

/** Counts, when the garbage is gone. */
export async function takeCensus(): Promise<Census> {
  if (globalThis.gc === undefined) throw new Error('Run node with --expose-gc');
  for (let round = 0; round < 4; round++) {
    await sleep(20); // what finalizers leave behind goes with the next
    globalThis.gc();
    living(emitters); // so does what this census itself knew of the dead
    living(signals);
  }
  const resources: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
  const ofEmitters = living(emitters).flatMap((emitter) =>
    emitter.eventNames().map((name) => emitter.listenerCount(name)),
  );
  const ofSignals = living(signals).map((signal) => getEventListeners(signal, 'abort').length);
  const listeners = [...ofEmitters, ...ofSignals].reduce((sum, count) => sum + count, 0);
  return { heap: process.memoryUsage().heapUsed, resources, listeners };
}

function living<T extends object>(all: Set<WeakRef<T>>): T[] {
  const alive: T[] = [];
  for (const reference of all) {
    const target = reference.deref();
    if (target === undefined) all.delete(reference);
    else alive.push(target);
  }
  return alive;
}
