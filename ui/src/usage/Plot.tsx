/** Lines over time. The words beneath say what the pointer is at; without one, what it comes to as a whole. */
import 'uplot/dist/uPlot.min.css';
import { useComputedColorScheme } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import UPlot from 'uplot';
import css from './plot.module.css';
import type { Series } from './series';

const LIGHT = ['#434ed0', '#0c8f83', '#c2410c', '#9333ea', '#b45309', '#0369a1', '#5b6270'];
const DARK = ['#96a1ff', '#4fd1c0', '#ffa36b', '#d0a2ff', '#f2c14e', '#67c3f3', '#a3abbd'];
const HEIGHT = 250;
const STEPS = Array.from({ length: 13 }, (_, power) => [1, 2, 5].map((one) => one * 10 ** power)).flat();

export type PlotProps = {
  series: Series;
  label: string;
  format: (value: number) => string;
  by?: 'day' | 'hour';
  whole?: boolean; // counts: nothing between two of them
};

/** A day is the gateway's (UTC); an hour is the reader's. */
const said = (seconds: number, by: 'day' | 'hour'): string =>
  new Date(seconds * 1000).toLocaleString(
    undefined,
    by === 'day' ? { day: 'numeric', month: 'short', timeZone: 'UTC' } : { hour: '2-digit', minute: '2-digit' },
  );

export default function Plot({ series, label, format, by = 'day', whole = false }: PlotProps) {
  const place = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState<number | null>(null);
  const scheme = useComputedColorScheme('light');
  const colours = scheme === 'dark' ? DARK : LIGHT;
  useEffect(() => {
    const root = place.current;
    if (!root) return;
    const axis = {
      stroke: scheme === 'dark' ? '#a3abbd' : '#5b6270',
      grid: { stroke: scheme === 'dark' ? '#1f2430' : '#eceef4', width: 1 },
      ticks: { show: false },
      font: '12px Inter Variable',
    };
    const alone = series.lines.length === 1;
    const plot = new UPlot(
      {
        width: root.clientWidth,
        height: HEIGHT,
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false } },
        scales: { x: { time: true }, y: { range: (_, __, most) => [0, most > 0 ? most * 1.1 : 1] } },
        axes: [
          { ...axis, grid: { show: false }, space: 64, values: (_, ticks) => ticks.map((one) => said(one, by)) },
          { ...axis, size: 72, ...(whole ? { incrs: STEPS } : {}), values: (_, ticks) => ticks.map(format) },
        ],
        series: [
          {},
          ...series.lines.map((_, index) => ({
            stroke: colours[index % colours.length] as string,
            ...(alone ? { fill: `${colours[0]}18` } : {}),
            width: 2,
            points: { show: series.times.length < 45, size: 5 },
          })),
        ],
        hooks: { setCursor: [(self) => setAt(self.cursor.idx ?? null)] },
        tzDate: (one) => (by === 'day' ? UPlot.tzDate(new Date(one * 1000), 'UTC') : new Date(one * 1000)),
      },
      [series.times, ...series.lines.map((line) => line.values)],
      root,
    );
    const resized = new ResizeObserver(() => plot.setSize({ width: root.clientWidth, height: HEIGHT }));
    resized.observe(root);
    return () => {
      resized.disconnect();
      plot.destroy();
      setAt(null);
    };
  }, [series, scheme, format, by, whole, colours]);
  return (
    <>
      <div ref={place} role="img" aria-label={label} />
      <div className={css.legend}>
        <span className={css.at}>
          {at === null || series.times[at] === undefined ? 'In all' : said(series.times[at], by)}
        </span>
        {series.lines.map((line, index) => {
          const value = at === null ? line.whole : (line.values[at] ?? null);
          return (
            <span key={line.name} className={css.line}>
              <span className={css.dot} style={{ background: colours[index % colours.length] }} aria-hidden />
              <span className="anyword">{line.name}</span>
              <b className="numbers">{value === null ? '–' : format(value)}</b>
            </span>
          );
        })}
      </div>
    </>
  );
}
