/** A ring of parts with its total in the middle. */
import type { ReactElement } from 'react';
import type { Tone } from '../model/service-status.ts';

export interface RingPart {
  readonly label: string;
  readonly value: number;
  readonly tone: Tone;
}

const RADIUS = 42;
const CIRCUMFERENCE = 2 * Math.PI * RADIUS;

export interface RingProps {
  readonly label: string;
  readonly parts: readonly RingPart[];
  readonly caption: string;
}

export function Ring({ label, parts, caption }: RingProps): ReactElement {
  const total = parts.reduce((sum, part) => sum + part.value, 0);
  let before = 0;
  const text = parts.map((part) => `${part.value} ${part.label}`).join(', ');
  return (
    <svg width="112" height="112" viewBox="0 0 112 112" role="img" aria-label={`${label}: ${text}`}>
      <circle cx="56" cy="56" r={RADIUS} fill="none" stroke="var(--track)" strokeWidth="10" />
      {parts.map((part) => {
        if (part.value === 0 || total === 0) return null;
        const share = part.value / total;
        const offset = before;
        before += share;
        const gap = share < 1 ? 1.5 : 0;
        return (
          <circle
            key={part.label}
            data-tone={part.tone}
            cx="56"
            cy="56"
            r={RADIUS}
            fill="none"
            stroke="var(--tone-fill)"
            strokeWidth="10"
            strokeDasharray={`${Math.max(1, share * CIRCUMFERENCE - gap)} ${CIRCUMFERENCE}`}
            strokeDashoffset={-offset * CIRCUMFERENCE}
            transform="rotate(-90 56 56)"
          />
        );
      })}
      <text
        x="56"
        y="57"
        textAnchor="middle"
        fontSize="24"
        fontWeight="600"
        fill="var(--text)"
        letterSpacing="-0.5"
      >
        {total}
      </text>
      <text x="56" y="73" textAnchor="middle" fontSize="11" fill="var(--text-muted)">
        {caption}
      </text>
    </svg>
  );
}
