import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';

import type { ThroughputPoint } from '../../api.js';
import { count, counted, duration } from '../format.js';
import { useLiveEvent } from '../live.js';
import { Chart } from './chart.js';
import { durationData, minutesOf, throughputData } from './series.js';

const HOUR_MS = 3_600_000;

/** The last hour. */
export function Charts(): JSX.Element {
  const points = useThroughput();
  const throughput = useMemo(() => throughputData(minutesOf(points)), [points]);
  const durations = useMemo(() => durationData(points), [points]);
  const success = points.reduce((sum, point) => sum + point.success, 0);
  const failure = points.reduce((sum, point) => sum + point.failure, 0);
  const last = points.findLast((point) => point.duration !== undefined)?.duration;
  return (
    <div class="charts">
      <Chart
        title="Throughput"
        unit="jobs a minute"
        kind="bars"
        data={throughput}
        series={[
          { name: 'success', tone: 'success' },
          { name: 'failure', tone: 'failure' },
        ]}
        format={count}
        summary={
          success + failure === 0
            ? 'None was seen to be filed in the last hour.'
            : `Seen in the last hour: ${counted(success, 'success', 'successes')}, ${counted(failure, 'failure')}.`
        }
      />
      <Chart
        title="Duration"
        unit="of a sample"
        kind="lines"
        data={durations}
        series={[
          { name: 'median', tone: 'running' },
          { name: '95th percentile', tone: 'warning' },
        ]}
        format={duration}
        summary={
          last === undefined
            ? 'None was seen to be filed in the last hour.'
            : `Of the last jobs: median ${duration(last.median)}, 95th percentile ${duration(last.p95)}.`
        }
      />
    </div>
  );
}

/** Of the last hour, each once. */
function useThroughput(): readonly ThroughputPoint[] {
  const [points, setPoints] = useState<readonly ThroughputPoint[]>([]);
  useLiveEvent('throughput', (told) =>
    setPoints((known) => {
      const byTime = new Map([...known, ...told].map((point) => [point.time, point]));
      const since = Date.now() - HOUR_MS;
      return [...byTime.values()]
        .filter(({ time }) => Date.parse(time) >= since)
        .toSorted((one, other) => (one.time < other.time ? -1 : 1));
    }),
  );
  return points;
}
