import type { JSX } from 'preact';

import type { JobSummary } from '../../api.js';
import { count, shareOf } from '../format.js';

/** What a thing is like, by shape and colour and a word: no one of them is needed to tell. */
export type Tone = 'waiting' | 'running' | 'success' | 'failure' | 'warning' | 'quiet';

const SHAPES: Readonly<Record<Tone, string>> = {
  waiting: 'M8 13.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11Z',
  running: 'M8 2.500a5.5 5.5 0 0 1 5.5 5.5',
  success: 'm4.5 8.3 2.4 2.4 4.8-5.2',
  failure: 'm5 5 6 6M11 5l-6 6',
  warning: 'M8 4.500v4M8 11.300h.01',
  quiet: 'M5 8h6',
};

export function State({ tone, children }: { readonly tone: Tone; readonly children: string }): JSX.Element {
  return (
    <span class={`state ${tone}`}>
      <svg class="state-mark" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
        <circle cx="8" cy="8" r="7" />
        <path d={SHAPES[tone]} />
      </svg>
      {children}
    </span>
  );
}

/** Its words as on the tabs of the lists. */
export function JobState({
  job,
}: {
  readonly job: Pick<JobSummary, 'state' | 'startAfter' | 'error'>;
}): JSX.Element {
  const isLater =
    job.state === 'waiting' && job.startAfter !== undefined && Date.parse(job.startAfter) > Date.now();
  if (isLater) return <State tone="waiting">later</State>;
  if (job.state === 'failure' && job.error?.type === 'cancelled')
    return <State tone="quiet">cancelled</State>;
  return <State tone={job.state}>{job.state}</State>;
}

/** Of the words that the history of schedules has. */
export function Outcome({ outcome }: { readonly outcome: string }): JSX.Element {
  const tone: Tone =
    outcome === 'success' || outcome === 'failure' ? outcome : outcome === 'missed' ? 'warning' : 'quiet';
  return <State tone={tone}>{outcome}</State>;
}

type ProgressValue = NonNullable<JobSummary['progress']>;

export function Progress({
  progress,
  isLarge = false,
}: {
  readonly progress: ProgressValue;
  readonly isLarge?: boolean;
}): JSX.Element {
  const share = shareOf(progress);
  const told =
    progress.total === undefined
      ? `${count(progress.done)} done`
      : `${count(progress.done)} of ${count(progress.total)}`;
  return (
    <span class={isLarge ? 'progress large' : 'progress'}>
      {share === undefined ? null : <progress max={1} value={share} aria-label={`Progress: ${told}`} />}
      <span class="progress-told">{told}</span>
      {isLarge && progress.message !== undefined ? <span class="muted">{progress.message}</span> : null}
    </span>
  );
}
