/** A share of something as a bar with its number. */
import type { ReactElement } from 'react';

export interface MeterProps {
  readonly label: string;
  readonly percent: number;
  /** Text beside the bar; the percentage when left out. */
  readonly text?: string;
  readonly color?: string;
  readonly title?: string;
}

export function Meter({ label, percent, text, color, title }: MeterProps): ReactElement {
  const shown = text ?? `${Math.round(percent)}%`;
  return (
    <div
      className="meter"
      role="meter"
      aria-label={label}
      aria-valuenow={Math.round(percent)}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuetext={title ?? shown}
      title={title}
    >
      <div className="meter-track">
        <div
          className="meter-fill"
          style={{
            width: `${percent}%`,
            ...(color === undefined ? {} : { background: color }),
          }}
        />
      </div>
      <span className="meter-value">{shown}</span>
    </div>
  );
}
