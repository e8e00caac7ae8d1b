import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { openProxy } from '../tcp-proxy.js';
import type { Proxy } from '../tcp-proxy.js';
import { openAnswerProxy } from './answers.js';
import type { AnswerProxy } from './answers.js';
import { readLines } from './lines.js';
import { NAME, TOKEN } from './names.js';
import { randomFrom } from '../random.js';
import { makePlan } from './plan.js';
import type { Amounts, Fault, PlannedJob } from './plan.js';
import { end, ready, run } from './processes.js';
import { get, put } from './requests.js';
import { judge } from './verdict.js';
import type { Verdict } from './verdict.js';

export interface ChaosOptions {
  readonly seed: number;
  readonly jobs: number;
  readonly instances: number;
  readonly seconds: number;
  readonly amounts: Amounts;
  /** The instances' `leaseTimeout`, in ms. */
  readonly lease: number;
  /** How long it may take, after the faults have ended, until all is filed; in ms. */
  readonly drain: number;
}

/** A moment when an instance was killed or cut off: the jobs that it had may be run again. */
export interface Interruption {
  readonly kind: 'kill' | 'partition';
  readonly pid: number | undefined;
  readonly from: number;
  readonly to: number;
}

export interface Report extends Verdict {
  readonly seed: number;
  readonly kills: number;
  readonly serverRestarts: number;
  readonly cuts: number;
  readonly partitions: number;
  readonly wrongAnswers: number;
  readonly drainedIn: number;
}

const JOB_TYPE = 'application/vnd.oada.service.job.1+json';
const LIST = `/bookmarks/services/${NAME}/jobs`;

/** Runs it all: a server, instances of a service, faults, then a while without any; and judges what came of it. */
export async function runChaos(options: ChaosOptions): Promise<Report> {
  const folder = await mkdtemp(join(tmpdir(), 'jobs-chaos-'));
  const chaos = new Chaos(folder, options);
  try {
    return await chaos.run();
  } finally {
    await chaos.close();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Instance {
  child: ChildProcess | undefined;
  readonly runs: string;
  readonly way: Proxy;
  readonly answers: AnswerProxy;
}

class Chaos {
  readonly #folder: string;
  readonly #options: ChaosOptions;
  readonly #instances: Instance[] = [];
  readonly #interruptions: Interruption[] = [];
  readonly #chance: () => number;
  readonly #counts = { kills: 0, serverRestarts: 0, cuts: 0, partitions: 0, wrongAnswers: 0 };
  #server: ChildProcess | undefined;
  #isServerDown = false;
  #url = '';

  constructor(folder: string, options: ChaosOptions) {
    this.#folder = folder;
    this.#options = options;
    this.#chance = randomFrom(options.seed + 1);
  }

  async run(): Promise<Report> {
    const { seed, instances, drain } = this.#options;
    const plan = makePlan(this.#options);
    await this.#startServer('0');
    for (let number = 0; number < instances; number++) await this.#addInstance(number);
    await this.#forEachChild(ready);

    const began = performance.now();
    const until = (at: number): Promise<void> => sleep(Math.max(0, began + at - performance.now()));
    const posting = plan.jobs.map(async (job) => {
      await until(job.at);
      await this.#post(job);
    });
    const breaking = plan.faults.map(async (fault) => {
      await until(fault.at);
      await this.#break(fault);
    });
    await Promise.all([...posting, ...breaking]);
    const calm = performance.now();
    while (performance.now() - calm < drain && (await this.#pending()) > 0) await sleep(100);
    const drainedIn = Math.round(performance.now() - calm);
    await this.#forEachChild((child) => end(child, 'stop'));

    const verdict = await judge({
      url: this.#url,
      jobs: plan.jobs,
      runs: await readLines(this.#instances.map(({ runs }) => runs)),
      interruptions: this.#interruptions,
    });
    return { seed, ...verdict, ...this.#counts, drainedIn };
  }

  async close(): Promise<void> {
    for (const { child, way, answers } of this.#instances) {
      if (child !== undefined) await end(child);
      way.close();
      answers.close();
    }
    if (this.#server !== undefined) await end(this.#server);
  }

  async #forEachChild(act: (child: ChildProcess) => Promise<unknown>): Promise<void> {
    const children = this.#instances.flatMap(({ child }) => (child === undefined ? [] : [child]));
    await Promise.all(children.map(act));
  }

  async #startServer(port: string): Promise<void> {
    this.#server = run('server.ts', [join(this.#folder, 'store'), port, TOKEN]);
    this.#url = await ready(this.#server);
  }

  async #addInstance(number: number): Promise<void> {
    const answers = await openAnswerProxy(this.#url);
    const way = await openProxy(answers.url);
    const runs = join(this.#folder, `runs-${String(number)}`);
    const instance: Instance = { child: undefined, runs, way, answers };
    this.#instances.push(instance);
    this.#startInstance(instance);
  }

  #startInstance(instance: Instance): void {
    const { way, runs } = instance;
    instance.child = run('instance.ts', [way.url, TOKEN, runs, String(this.#options.lease)]);
  }

  async #post({ key, type, takes }: PlannedJob): Promise<void> {
    const job = { service: NAME, type, config: { key, takes } };
    await put(this.#url, `/resources/${key}`, job, JOB_TYPE);
    await put(this.#url, LIST, { [key]: { _id: `resources/${key}` } });
  }

  /** How many jobs are in the pending list. */
  async #pending(): Promise<number> {
    const list = await get(this.#url, LIST);
    return Object.keys(list ?? {}).filter((key) => !key.startsWith('_')).length;
  }

  async #break(fault: Fault): Promise<void> {
    if (fault.kind === 'server') {
      await this.#restartServer(fault.lasts);
      return;
    }
    const instance = this.#instances[fault.instance];
    if (instance === undefined) return;
    const { way, answers } = instance;
    switch (fault.kind) {
      case 'kill':
        await this.#kill(instance, fault.lasts);
        return;
      case 'cut':
        this.#counts.cuts++;
        way.cut();
        return;
      case 'half-open':
        this.#cutOff(instance);
        way.halfOpen();
        return;
      case 'partition':
        this.#cutOff(instance);
        way.stall();
        await sleep(fault.lasts);
        way.cut(); // what was lost on the way would be missing in what comes next
        way.resume();
        return;
      case 'delay':
        way.delay(fault.by);
        await sleep(fault.lasts);
        way.delay(0);
        return;
      case 'answers':
        answers.setAnswers(({ method, isConditional }) => {
          if (this.#chance() >= fault.share || (fault.status === 412 && !isConditional)) return undefined;
          this.#counts.wrongAnswers++;
          // Of a watch that the server has, but its client has not, nobody would ever let go.
          const done = fault.status === 500 && !method.includes('watch') && this.#chance() < 0.5;
          return { status: fault.status, done };
        });
        await sleep(fault.lasts);
        answers.setAnswers(() => undefined);
    }
  }

  async #restartServer(lasts: number): Promise<void> {
    if (this.#isServerDown || this.#server === undefined) return;
    this.#isServerDown = true;
    this.#counts.serverRestarts++;
    await end(this.#server);
    await sleep(lasts);
    await this.#startServer(new URL(this.#url).port);
    this.#isServerDown = false;
  }

  async #kill(instance: Instance, lasts: number): Promise<void> {
    const { child } = instance;
    if (child === undefined) return; // it is dead already
    instance.child = undefined;
    this.#counts.kills++;
    const from = Date.now();
    await end(child);
    this.#interruptions.push({ kind: 'kill', pid: child.pid, from, to: Date.now() });
    await sleep(lasts);
    this.#startInstance(instance);
  }

  #cutOff({ child }: Instance): void {
    this.#counts.partitions++;
    const from = Date.now();
    // A claim may be answered, and its run not begun.
    this.#interruptions.push({ kind: 'partition', pid: child?.pid, from, to: from + 200 });
  }
}
