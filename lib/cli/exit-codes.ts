/** What the exit code of `oada-jobs` says. They are stable; `docs/reference/cli.md` explains each. */
export const EXIT: Readonly<Record<ExitName, number>> = Object.freeze({
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  unauthorized: 4,
  unreachable: 5,
  jobFailed: 6,
  timeout: 124,
  interrupted: 130,
  terminated: 143,
});

export type ExitName =
  | 'ok'
  | 'failed'
  | 'usage'
  | 'notFound'
  | 'unauthorized'
  | 'unreachable'
  | 'jobFailed'
  | 'timeout'
  | 'interrupted'
  | 'terminated';
