/** The console's icons: one stroke weight on a 20-unit grid, drawn for this product. */
import type { ReactElement } from 'react';

const PATHS = {
  dashboard: 'M3 11a7 7 0 0 1 14 0M10 11l3.5-3.5M4 15h12',
  services: 'M4 4h5v5H4zM11 4h5v5h-5zM4 11h5v5H4zM11 11h5v5h-5z',
  nodes: 'M3.5 4.5h13v4h-13zM3.5 11.5h13v4h-13zM6 6.5h.01M6 13.5h.01M9 6.5h5M9 13.5h5',
  deployments: 'M10 3v9M6.5 8.5 10 12l3.5-3.5M4 16.5h12',
  search: 'M9 14.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11ZM13 13l4 4',
  plus: 'M10 4v12M4 10h12',
  folder:
    'M3 6.2V15a1 1 0 0 0 1 1h12a1 1 0 0 0 1-1V7.5a1 1 0 0 0-1-1h-6L8.3 4.5H4A1 1 0 0 0 3 5.5z',
  service: 'M10 3 16 6.4v7.2L10 17l-6-3.4V6.4zM4.2 6.5 10 10l5.8-3.5M10 10v6.8',
  chevronDown: 'm6 8 4 4 4-4',
  chevronRight: 'm8 6 4 4-4 4',
  sortUp: 'M10 15V5.5M6.5 9 10 5.5 13.5 9',
  more: 'M5 10h.01M10 10h.01M15 10h.01',
  close: 'm5.5 5.5 9 9M14.5 5.5l-9 9',
  sun: 'M10 13.2a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4ZM10 2.5v1.6M10 15.9v1.6M2.5 10h1.6M15.9 10h1.6M4.7 4.7l1.1 1.1M14.2 14.2l1.1 1.1M4.7 15.3l1.1-1.1M14.2 5.8l1.1-1.1',
  moon: 'M16.5 11.8A6.8 6.8 0 0 1 8.2 3.5a6.8 6.8 0 1 0 8.3 8.3Z',
  system: 'M3.5 4.5h13v8.5h-13zM7.5 16.5h5M10 13v3.5',
  help: 'M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM7.9 8a2.1 2.1 0 1 1 3 1.9c-.6.3-.9.7-.9 1.4M10 13.6h.01',
  warning: 'M10 3.2 17.5 16h-15zM10 8v3.8M10 13.8h.01',
  error: 'M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM10 6.5v4.3M10 13.4h.01',
  clock: 'M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM10 6v4.2l2.8 1.8',
  info: 'M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM10 9.2v4.3M10 6.6h.01',
  check: 'm4.5 10.5 3.5 3.5 7.5-8',
  restart: 'M15.8 8A6.2 6.2 0 1 0 16 12M16 4.2V8h-3.8',
  scale: 'M11.5 3.5h5v5M16.2 3.8 11 9M8.5 16.5h-5v-5M3.8 16.2 9 11',
  pause: 'M7 4.5v11M13 4.5v11',
  play: 'M6.5 4.2v11.6L15.5 10z',
  trash: 'M4 5.8h12M8 5.8V3.8h4v2M5.5 5.8l.8 10.4h7.4l.8-10.4M8.5 8.8v4.6M11.5 8.8v4.6',
  edit: 'M4 16l.8-3.4 8.4-8.4 2.6 2.6-8.4 8.4zM11.6 5.8l2.6 2.6',
  copy: 'M7 7h9v9H7zM4 13V4h9',
  download: 'M10 3.5v9M6.5 9l3.5 3.5L13.5 9M4 16.5h12',
  follow: 'M10 3.5v8.5M6.5 8.5 10 12l3.5-3.5M5 16h10',
  wrap: 'M3.5 5h13M3.5 10h10a2.7 2.7 0 0 1 0 5.4H10M11.5 13.4l-2 2 2 2M3.5 15h3',
  up: 'm6 12 4-4 4 4',
  down: 'm6 8 4 4 4-4',
  stop: 'M5.5 5.5h9v9h-9z',
  undo: 'M7 5 3.5 8.5 7 12M3.8 8.5h8a4.2 4.2 0 0 1 0 8.4H8',
  log: 'M4.5 3.5h11v13h-11zM7 7h6M7 10h6M7 13h3.5',
  external: 'M8.5 4.5h-4v11h11v-4M11.5 4.5h4v4M15.2 4.8 9.5 10.5',
  json: 'M7.5 3.5c-2 0-2 1-2 2.5S5.5 9 4 10c1.5 1 1.5 2.5 1.5 4s0 2.5 2 2.5M12.5 3.5c2 0 2 1 2 2.5s0 3 1.5 4c-1.5 1-1.5 2.5-1.5 4s0 2.5-2 2.5',
  sidebar: 'M3.5 4.5h13v11h-13zM8 4.5v11',
  globe:
    'M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM3.2 10h13.6M10 3c2.2 2.2 2.8 4.5 2.8 7s-.6 4.8-2.8 7c-2.2-2.2-2.8-4.5-2.8-7S7.8 5.2 10 3Z',
  file: 'M5.5 3.5h6l3 3v10h-9zM11.5 3.5v3h3',
} as const;

export type IconName = keyof typeof PATHS;

export interface IconProps {
  readonly name: IconName;
  readonly size?: number;
}

/** Decorative: the element beside it carries the text. */
export function Icon({ name, size = 18 }: IconProps): ReactElement {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      strokeWidth={name === 'more' ? 2.4 : 1.6}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
