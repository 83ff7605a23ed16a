/** The drawing behind `Chart`: uPlot with the console's colours, resized with its place. */
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

export interface TimeChartOptions {
  readonly color: string;
  readonly max: number | undefined;
  readonly unit: string;
  readonly isBars: boolean;
}

export interface TimeChart {
  setData(timesMs: readonly number[], values: readonly number[]): void;
  destroy(): void;
}

const HEIGHT = 112;
/** The window that is always shown, so that the axis does not stretch as samples come in. */
const WINDOW_SECONDS = 300;

export function createTimeChart(host: HTMLElement, options: TimeChartOptions): TimeChart {
  const styles = getComputedStyle(host);
  const token = (name: string): string => styles.getPropertyValue(name).trim();
  const color = token(options.color);
  const axisText = { stroke: token('--text-faint'), font: `11px ${token('--sans')}` };
  const plot = new uPlot(
    {
      width: host.clientWidth,
      height: HEIGHT,
      padding: [8, 4, 0, 0],
      legend: { show: false },
      cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false } },
      scales: {
        x: { time: true, range: (_plot, _min, max) => [max - WINDOW_SECONDS, max] },
        y: { range: (_plot, _min, max) => [0, options.max ?? Math.max(2, Math.ceil(max * 1.25))] },
      },
      axes: [
        {
          ...axisText,
          size: 22,
          space: 70,
          incrs: [60, 120, 300, 600],
          grid: { show: false },
          ticks: { show: false },
          values: (_plot, ticks) => ticks.map((tick) => clockText(tick)),
        },
        {
          ...axisText,
          size: 34,
          space: 34,
          ticks: { show: false },
          grid: { stroke: token('--chart-grid'), width: 1 },
          values: (_plot, ticks) =>
            ticks.map((tick) => (Number.isInteger(tick) ? `${tick}${options.unit}` : '')),
        },
      ],
      series: [
        {},
        {
          stroke: color,
          width: options.isBars ? 0 : 1.75,
          fill: options.isBars ? color : `color-mix(in srgb, ${color} 16%, transparent)`,
          points: { show: false },
          ...(options.isBars ? { paths: barPaths() } : {}),
        },
      ],
    },
    [[], []],
    host,
  );
  const observer = new ResizeObserver(() => {
    if (host.clientWidth > 0) plot.setSize({ width: host.clientWidth, height: HEIGHT });
  });
  observer.observe(host);
  return {
    setData: (timesMs, values) => plot.setData([timesMs.map((time) => time / 1000), [...values]]),
    destroy: () => {
      observer.disconnect();
      plot.destroy();
    },
  };
}

function barPaths(): uPlot.Series.PathBuilder {
  const build = uPlot.paths.bars;
  if (build === undefined) throw new Error('the chart library has no bars');
  return build({ size: [0.8, 8], align: 0 });
}

function clockText(seconds: number): string {
  const date = new Date(seconds * 1000);
  const minutes = String(date.getMinutes()).padStart(2, '0');
  return `${date.getHours()}:${minutes}`;
}
