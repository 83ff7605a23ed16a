/**
 * The log of one file: virtual lines, follows the end until the reader scrolls up, searches with a
 * count and next/previous, wraps on demand, shows terminal colours.
 */
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, useState } from 'react';
import type { ReactElement, ReactNode } from 'react';
import type { LogView } from '../live/use-log.ts';
import { parseAnsi, stripAnsi } from '../model/ansi.ts';
import { countOf } from '../model/format.ts';
import { Button } from './button.tsx';
import { Icon } from './icon.tsx';

const LINE_HEIGHT = 20;
/** Distance from the end within which the view counts as following, in pixels. */
const END_TOLERANCE = 30;

export interface LogViewerProps {
  readonly log: LogView;
  /** Instance and file choice, drawn left in the bar. */
  readonly choice: ReactNode;
  readonly downloadHref: string | undefined;
}

export function LogViewer({ log, choice, downloadHref }: LogViewerProps): ReactElement {
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const [isFollowing, setFollowing] = useState(true);
  const [isWrapped, setWrapped] = useState(false);
  const matches = useMatches(log.lines, text);
  const current = matches[Math.min(at, matches.length - 1)];
  const step = (by: number): void => {
    setFollowing(false);
    setAt((before) => (before + by + matches.length) % Math.max(1, matches.length));
  };
  return (
    <section className="panel logs" aria-label="Log">
      <div className="logs-bar">
        {choice}
        <div className="search">
          <Icon name="search" size={16} />
          <input
            className="input"
            data-page-search
            value={text}
            placeholder="Search the log"
            aria-label="Search the log"
            onChange={(event) => {
              setText(event.target.value);
              setAt(0);
              setFollowing(event.target.value === '');
            }}
            onKeyDown={(event) => {
              if (event.key === 'Enter') step(event.shiftKey ? -1 : 1);
              if (event.key === 'Escape') setText('');
            }}
          />
          {text === '' ? <kbd>/</kbd> : null}
        </div>
        {text === '' ? null : (
          <>
            <span className="muted num" role="status">
              {matches.length === 0
                ? 'no match'
                : `${Math.min(at, matches.length - 1) + 1} of ${matches.length}`}
            </span>
            <Button
              icon="up"
              label="Previous match"
              size="small"
              variant="ghost"
              onPress={() => step(-1)}
            />
            <Button
              icon="down"
              label="Next match"
              size="small"
              variant="ghost"
              onPress={() => step(1)}
            />
          </>
        )}
        <span style={{ flex: 1 }} />
        <Button
          icon="wrap"
          label="Wrap long lines"
          isPressed={isWrapped}
          onPress={() => setWrapped((before) => !before)}
        />
        <Button
          icon="follow"
          isPressed={isFollowing}
          onPress={() => setFollowing((before) => !before)}
        >
          Follow
        </Button>
        {downloadHref === undefined ? null : (
          <a className="button" href={downloadHref} download>
            <Icon name="download" size={17} />
            Download
          </a>
        )}
      </div>
      <LogLines
        log={log}
        matches={matches}
        current={current}
        isFollowing={isFollowing}
        isWrapped={isWrapped}
        onFollowing={setFollowing}
      />
      <footer className="logs-foot">
        <span role="status">{stateText(log)}</span>
        <span className="num">{countOf(log.lines.length, 'line')}</span>
      </footer>
    </section>
  );
}

function stateText({ state }: LogView): string {
  if (state.kind === 'connecting') return 'Opening the log';
  if (state.kind === 'failed') return `The log cannot be read: ${state.message}`;
  return state.by === 'stream' ? 'Live' : 'Live, read from the file every second';
}

function useMatches(lines: readonly string[], text: string): readonly number[] {
  return useMemo(() => {
    const wanted = text.toLowerCase();
    if (wanted === '') return [];
    return lines.flatMap((line, index) =>
      stripAnsi(line).toLowerCase().includes(wanted) ? [index] : [],
    );
  }, [lines, text]);
}

interface LogLinesProps {
  readonly log: LogView;
  readonly matches: readonly number[];
  readonly current: number | undefined;
  readonly isFollowing: boolean;
  readonly isWrapped: boolean;
  readonly onFollowing: (isFollowing: boolean) => void;
}

function LogLines(props: LogLinesProps): ReactElement {
  const { log, matches, current, isFollowing, isWrapped, onFollowing } = props;
  const host = useRef<HTMLDivElement>(null);
  const matching = useMemo(() => new Set(matches), [matches]);
  const virtualizer = useVirtualizer({
    count: log.lines.length,
    getScrollElement: () => host.current,
    estimateSize: () => LINE_HEIGHT,
    overscan: 30,
  });
  useEffect(() => {
    if (isFollowing && log.lines.length > 0) {
      virtualizer.scrollToIndex(log.lines.length - 1, { align: 'end' });
    }
  }, [isFollowing, log.lines.length, isWrapped, virtualizer]);
  useEffect(() => {
    if (current !== undefined) virtualizer.scrollToIndex(current, { align: 'center' });
  }, [current, virtualizer]);
  useEffect(() => virtualizer.measure(), [isWrapped, virtualizer]);

  return (
    <div
      ref={host}
      className="logs-view"
      data-wrap={isWrapped}
      role="log"
      aria-label="Log lines"
      tabIndex={0}
      onWheel={(event) => {
        if (event.deltaY < 0 && isFollowing) onFollowing(false);
      }}
      onScroll={(event) => {
        const { scrollTop, clientHeight, scrollHeight } = event.currentTarget;
        if (
          !isFollowing &&
          matches.length === 0 &&
          scrollHeight - scrollTop - clientHeight < END_TOLERANCE
        ) {
          onFollowing(true);
        }
      }}
    >
      {log.lines.length === 0 && log.state.kind === 'live' ? (
        <p className="muted" style={{ padding: '16px 20px' }}>
          Nothing has been written yet. New lines appear here by themselves.
        </p>
      ) : null}
      <div style={{ height: virtualizer.getTotalSize(), position: 'relative' }}>
        {virtualizer.getVirtualItems().map((item) => (
          <div
            key={item.key}
            ref={virtualizer.measureElement}
            data-index={item.index}
            className="log-line"
            data-match={matching.has(item.index)}
            data-current={item.index === current}
            style={{ transform: `translateY(${item.start}px)` }}
          >
            <span className="log-number" aria-hidden="true">
              {log.firstNumber + item.index}
            </span>
            <LogText line={log.lines[item.index] ?? ''} />
          </div>
        ))}
      </div>
    </div>
  );
}

function LogText({ line }: { readonly line: string }): ReactElement {
  const parts = parseAnsi(line);
  return (
    <span>
      {parts.map((part, index) => {
        const classes = [
          part.color === undefined ? '' : `ansi-${part.color}`,
          part.bold ? 'ansi-bold' : '',
        ].filter((name) => name !== '');
        return (
          <span key={index} {...(classes.length === 0 ? {} : { className: classes.join(' ') })}>
            {part.text}
          </span>
        );
      })}
    </span>
  );
}
