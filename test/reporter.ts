import type { SerializedError } from 'vitest';
import type { Reporter, TestCase, TestModule, TestSuite, Vitest } from 'vitest/node';

/** Ends a run with one line of totals that a program can read: `12 passed, 0 failed, 1 skipped`. */
export default class ClosingLine implements Reporter {
  #vitest: Vitest | undefined;

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const passed = count(tests, 'passed');
    const skipped = tests.length - passed - count(tests, 'failed');
    // What broke outside of any test (a file that does not load, a hook, a stray rejection) is a failure as well.
    const broken = modules.flatMap((module) => [module, ...module.children.allSuites()]).filter(hasErrors);
    const failed = count(tests, 'failed') + broken.length + unhandledErrors.length;

    const totals = [`${passed} passed`, `${failed} failed`];
    if (skipped > 0) totals.push(`${skipped} skipped`);
    this.#vitest?.logger.log(totals.join(', '));
  }
}

function count(tests: readonly TestCase[], state: 'passed' | 'failed'): number {
  return tests.filter((test) => test.result().state === state).length;
}

function hasErrors(part: TestModule | TestSuite): boolean {
  return part.errors().length > 0;
}
