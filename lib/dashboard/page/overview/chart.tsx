import type { JSX, RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type uPlot from 'uplot';

import { useStore } from '../store.js';
import { colours } from '../theme.js';
import type { Series } from './series.js';

export interface ChartProps {
  readonly title: string;
  readonly unit: string;
  readonly kind: 'bars' | 'lines';
  readonly data: Series;
  readonly series: readonly { readonly name: string; readonly tone: string }[];
  readonly format: (value: number) => string;
  /** What a screen reader says in place of the drawing. */
  readonly summary: string;
}

const HEIGHT = 168;

export function Chart(props: ChartProps): JSX.Element {
  const { title, unit, series, summary } = props;
  const figure = useRef<HTMLElement>(null);
  const canvas = useRef<HTMLDivElement>(null);
  usePlot(props, figure, canvas);
  return (
    <figure class="panel chart" ref={figure}>
      <figcaption>
        <h2>
          {title} <span class="muted small-text">{unit}</span>
        </h2>
        <span class="legend">
          {series.map(({ name, tone }) => (
            <span key={name}>
              <i class={`key ${tone}`} /> {name}
            </span>
          ))}
        </span>
      </figcaption>
      <div ref={canvas} class="plot" role="img" aria-label={`${title}. ${summary}`} />
      <p class="chart-summary muted">{summary}</p>
    </figure>
  );
}

/** Without the drawing, what it shows in words is still there. */
function noPlot(error: unknown): void {
  reportError(error);
}

/** What draws is loaded with the first chart; it is made anew when the colours change, and given data otherwise. */
function usePlot(
  props: ChartProps,
  figure: RefObject<HTMLElement | null>,
  canvas: RefObject<HTMLElement | null>,
): void {
  const latest = useRef(props);
  latest.current = props;
  const plot = useRef<uPlot | undefined>(undefined);
  const scheme = useStore(colours);
  useEffect(() => {
    const holder = canvas.current;
    const frame = figure.current;
    if (holder === null || frame === null) return undefined;
    let isGone = false;
    const observer = new ResizeObserver(() =>
      plot.current?.setSize({ width: Math.max(200, holder.clientWidth), height: HEIGHT }),
    );
    void import('uplot').then(({ default: Plot }) => {
      if (isGone) return;
      plot.current = new Plot(
        optionsOf(Plot, latest, frame, holder.clientWidth),
        aligned(latest.current.data),
        holder,
      );
      observer.observe(holder);
    }, noPlot);
    return () => {
      isGone = true;
      observer.disconnect();
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [scheme]);
  useEffect(() => plot.current?.setData(aligned(props.data)), [props.data]);
}

function aligned(data: Series): uPlot.AlignedData {
  const [times = [], ...values] = data;
  return [times.map(Number), ...values.map((one) => [...one])];
}

type Plots = typeof uPlot;

function optionsOf(
  Plot: Plots,
  latest: { readonly current: ChartProps },
  frame: HTMLElement,
  width: number,
): uPlot.Options {
  const { kind, series, format } = latest.current;
  // The keys of the legend have the colours already: those of the theme that is in force.
  const keys = [...frame.querySelectorAll('.key')].map((key) => getComputedStyle(key).backgroundColor);
  const { color: ink, borderTopColor: line, fontFamily } = getComputedStyle(frame);
  const font = `12px ${fontFamily}`;
  const axis = { stroke: ink, font, ticks: { show: false }, border: { show: false } };
  return {
    ...{ width: Math.max(200, width), height: HEIGHT, padding: [8, 20, 0, 0] },
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { range: () => lastHour(kind) },
      y: { range: (_plot, _low, high) => [0, roundUp(high, kind === 'bars' ? 4 : 1000)] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        space: 64,
        size: 28,
        values: (_plot, splits) => splits.map(localTime),
      },
      {
        ...axis,
        ...{ size: kind === 'bars' ? 44 : 60, space: 36, grid: { stroke: line, width: 1 } },
        values: (_plot, splits) => splits.map(format),
        ...(kind === 'bars' && {
          incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000],
        }),
      },
    ],
    series: [
      {},
      ...series.map((_one, index): uPlot.Series => {
        const stroke = keys[index] ?? ink;
        const bars = Plot.paths.bars?.({ size: [0.7, 24], align: 1 });
        return kind === 'bars' && bars !== undefined
          ? { paths: bars, fill: stroke, width: 0, points: { show: false } }
          : { stroke, width: 1.75, spanGaps: true, points: { size: 4, fill: stroke } };
      }),
    ],
  };
}

function lastHour(kind: ChartProps['kind']): [number, number] {
  const now = Date.now() / 1000;
  return kind === 'bars'
    ? [Math.floor(now / 60) * 60 - 59 * 60, Math.floor(now / 60) * 60 + 60]
    : [now - 3600, now];
}

/** So that there is room above, and something where all is nought. */
function roundUp(high: number | null, least: number): number {
  return high === null || high <= 0 ? least : high * 1.1;
}

/** By the clock of who looks. */
function localTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  return `${String(date.getHours()).padStart(2, '0')}:${String(date.getMinutes()).padStart(2, '0')}`;
}
