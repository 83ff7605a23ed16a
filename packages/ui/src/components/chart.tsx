/** A small time chart. The drawing library comes in its own chunk; the place is kept meanwhile. */
import { useEffect, useRef } from 'react';
import type { ReactElement } from 'react';
import { theme } from '../app/theme.ts';
import { useStore } from '../live/store.ts';
import type { TimeChart } from './time-chart.ts';

export interface ChartProps {
  /** What the chart shows, for readers who do not see it. */
  readonly label: string;
  /** Epoch milliseconds of the samples. */
  readonly timesMs: readonly number[];
  readonly values: readonly number[];
  /** Name of a colour token, e.g. `--chart-cpu`. */
  readonly color: string;
  /** Largest value of the axis; grows with the data when left out. */
  readonly max?: number;
  readonly unit: string;
  readonly isBars?: boolean;
}

export function Chart(props: ChartProps): ReactElement {
  const { label, timesMs, values, color, max, unit, isBars = false } = props;
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<TimeChart | undefined>(undefined);
  const latest = useRef({ timesMs, values });
  latest.current = { timesMs, values };
  const shownTheme = useStore(theme);

  useEffect(() => {
    let isGone = false;
    const element = host.current;
    if (element === null) return undefined;
    void import('./time-chart.ts').then(({ createTimeChart }) => {
      if (isGone) return;
      chart.current = createTimeChart(element, { color, max, unit, isBars });
      chart.current.setData(latest.current.timesMs, latest.current.values);
    });
    return () => {
      isGone = true;
      chart.current?.destroy();
      chart.current = undefined;
    };
  }, [color, max, unit, isBars, shownTheme]);

  useEffect(() => {
    chart.current?.setData(timesMs, values);
  }, [timesMs, values]);

  const newest = values.at(-1);
  const text = newest === undefined ? 'no samples yet' : `now ${Math.round(newest)}${unit}`;
  return <div className="chart" ref={host} role="img" aria-label={`${label}: ${text}`} />;
}
