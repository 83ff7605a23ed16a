/**
 * The table of every list: sortable columns, virtual rows above a bound, rows reachable by keyboard
 * (`j` and `k` move, Enter opens). Rendered as ARIA rows on CSS grid, so that ten thousand rows
 * cost what the window shows.
 */
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { CSSProperties, ReactElement, ReactNode } from 'react';
import { Icon } from './icon.tsx';

export interface Column<Row> {
  readonly id: string;
  readonly header: string;
  /** CSS grid track, e.g. `minmax(180px, 2fr)`. */
  readonly width: string;
  readonly align?: 'end';
  readonly isSortable?: boolean;
  readonly cell: (row: Row) => ReactNode;
}

export interface Sort {
  readonly column: string;
  readonly direction: 'ascending' | 'descending';
}

export interface DataTableProps<Row> {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string;
  readonly sort?: Sort;
  readonly onSort?: (sort: Sort) => void;
  readonly onOpen?: (row: Row) => void;
  readonly isSelected?: (row: Row) => boolean;
  /** Below this width the table scrolls sideways, in pixels. */
  readonly minWidth?: number;
  readonly empty?: ReactNode;
}

/** Up to this many rows all are rendered: find-in-page works, nothing jumps. */
const PLAIN_ROWS_MAX = 120;
const ROW_HEIGHT_ESTIMATE = 47;
const STEP_KEYS: Readonly<Record<string, number>> = { j: 1, k: -1 };

export function DataTable<Row>(props: DataTableProps<Row>): ReactElement {
  const { label, columns, rows, minWidth = 0 } = props;
  const style = {
    '--columns': columns.map((column) => column.width).join(' '),
    '--table-min': `${minWidth}px`,
  } as CSSProperties;
  const cursor = useRowCursor(props);
  return (
    <div className="table">
      <div className="table-scroll">
        <div
          className="table-grid"
          role="table"
          aria-label={label}
          aria-rowcount={rows.length + 1}
          style={style}
        >
          <HeaderRow {...props} />
          {rows.length > PLAIN_ROWS_MAX ? (
            <VirtualBody {...props} cursor={cursor} />
          ) : (
            <div className="tbody" role="rowgroup">
              {rows.map((row, index) => (
                <BodyRow
                  key={props.rowKey(row)}
                  {...props}
                  row={row}
                  index={index}
                  cursor={cursor}
                />
              ))}
            </div>
          )}
        </div>
      </div>
      {rows.length === 0 ? props.empty : null}
    </div>
  );
}

function HeaderRow<Row>({ columns, sort, onSort }: DataTableProps<Row>): ReactElement {
  return (
    <div className="thead" role="rowgroup">
      <div className="tr" role="row">
        {columns.map((column) => {
          const isSorted = sort?.column === column.id;
          const direction = isSorted ? sort.direction : undefined;
          return (
            <div
              key={column.id}
              className="th"
              role="columnheader"
              data-align={column.align}
              aria-sort={column.isSortable === true ? (direction ?? 'none') : undefined}
            >
              {column.isSortable === true && onSort !== undefined ? (
                <button
                  type="button"
                  className="sort"
                  onClick={() =>
                    onSort({
                      column: column.id,
                      direction: direction === 'ascending' ? 'descending' : 'ascending',
                    })
                  }
                >
                  {column.header}
                  <Icon name="sortUp" size={12} />
                </button>
              ) : (
                column.header
              )}
            </div>
          );
        })}
      </div>
    </div>
  );
}

interface BodyRowProps<Row> extends DataTableProps<Row> {
  readonly row: Row;
  readonly index: number;
  readonly cursor: number;
}

function BodyRow<Row>({
  row,
  index,
  cursor,
  columns,
  isSelected,
}: BodyRowProps<Row>): ReactElement {
  return (
    <div
      className="tr"
      role="row"
      aria-rowindex={index + 2}
      data-selected={isSelected?.(row) === true}
      data-cursor={cursor === index}
    >
      {columns.map((column) => (
        <div key={column.id} className="td" role="cell" data-align={column.align}>
          {column.cell(row)}
        </div>
      ))}
    </div>
  );
}

function VirtualBody<Row>(props: DataTableProps<Row> & { readonly cursor: number }): ReactElement {
  const { rows, rowKey, cursor } = props;
  const host = useRef<HTMLDivElement>(null);
  const [margin, setMargin] = useState(0);
  useLayoutEffect(() => setMargin(host.current?.offsetTop ?? 0), []);
  const virtualizer = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => ROW_HEIGHT_ESTIMATE,
    overscan: 12,
    scrollMargin: margin,
  });
  useEffect(() => {
    if (cursor >= 0) virtualizer.scrollToIndex(cursor);
  }, [cursor, virtualizer]);
  return (
    <div
      ref={host}
      className="tbody"
      role="rowgroup"
      style={{ height: virtualizer.getTotalSize(), position: 'relative' }}
    >
      {virtualizer.getVirtualItems().map((item) => {
        const row = rows[item.index];
        if (row === undefined) return null;
        return (
          <div
            key={rowKey(row)}
            ref={virtualizer.measureElement}
            data-index={item.index}
            role="presentation"
            style={{
              position: 'absolute',
              insetInline: 0,
              transform: `translateY(${item.start - margin}px)`,
            }}
          >
            <BodyRow {...props} row={row} index={item.index} />
          </div>
        );
      })}
    </div>
  );
}

/** Index of the row under the keyboard cursor, -1 for none. */
function useRowCursor<Row>({ rows, onOpen }: DataTableProps<Row>): number {
  const [cursor, setCursor] = useState(-1);
  useEffect(() => {
    if (onOpen === undefined) return undefined;
    const onKey = (event: KeyboardEvent): void => {
      if (isTyping(event) || event.metaKey || event.ctrlKey || event.altKey) return;
      const step = STEP_KEYS[event.key];
      if (step !== undefined && rows.length > 0) {
        event.preventDefault();
        setCursor((at) => Math.min(rows.length - 1, Math.max(0, at + step)));
      }
      const row = rows[cursor];
      if (event.key === 'Enter' && row !== undefined && event.target === document.body) onOpen(row);
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [rows, onOpen, cursor]);
  return Math.min(cursor, rows.length - 1);
}

/** True when the key belongs to a control or an open overlay. */
export function isTyping(event: KeyboardEvent): boolean {
  const { target } = event;
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.closest('[role="dialog"], [role="menu"], .cm-editor'))
    return true;
  return ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName);
}
