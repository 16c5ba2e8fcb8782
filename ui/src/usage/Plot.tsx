import 'uplot/dist/uPlot.min.css';
import { useComputedColorScheme } from '@mantine/core';
import { useEffect, useRef } from 'react';
import UPlot from 'uplot';
import type { Series } from './series';

const LIGHT = ['#434ed0', '#0c8f83', '#c2410c', '#9333ea', '#b45309', '#0369a1', '#5b6270'];
const DARK = ['#96a1ff', '#4fd1c0', '#ffa36b', '#d0a2ff', '#f2c14e', '#67c3f3', '#a3abbd'];

export default function Plot({
  series,
  label,
  format,
}: {
  series: Series;
  label: string;
  format: (value: number) => string;
}) {
  const place = useRef<HTMLDivElement>(null);
  const scheme = useComputedColorScheme('light');
  useEffect(() => {
    const root = place.current;
    if (!root) return;
    const colours = scheme === 'dark' ? DARK : LIGHT;
    const ink = scheme === 'dark' ? '#a3abbd' : '#5b6270';
    const axis = {
      stroke: ink,
      grid: { stroke: scheme === 'dark' ? '#1f2430' : '#eceef4', width: 1 },
      ticks: { show: false },
      font: '12px Inter Variable',
    };
    const plot = new UPlot(
      {
        width: root.clientWidth,
        height: 260,
        scales: { x: { time: true }, y: { range: (_, __, most) => [0, most > 0 ? most * 1.1 : 1] } },
        axes: [axis, { ...axis, size: 72, values: (_, ticks) => ticks.map(format) }],
        series: [
          { value: (_, at) => (at ? new Date(at * 1000).toISOString().slice(0, 10) : '') },
          ...series.lines.map((line, index) => ({
            label: line.name,
            stroke: colours[index % colours.length] as string,
            fill: `${colours[index % colours.length]}22`,
            width: 2,
            points: { show: series.days.length < 45, size: 5 },
            value: (_: UPlot, value: number | null) => (value === null ? '–' : format(value)),
          })),
        ],
        tzDate: (at) => UPlot.tzDate(new Date(at * 1000), 'UTC'),
      },
      [series.days, ...series.lines.map((line) => line.values)],
      root,
    );
    const resized = new ResizeObserver(() => plot.setSize({ width: root.clientWidth, height: 260 }));
    resized.observe(root);
    return () => {
      resized.disconnect();
      plot.destroy();
    };
  }, [series, scheme, format]);
  return <div ref={place} role="img" aria-label={label} />;
}
