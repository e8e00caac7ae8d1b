import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => ComponentChildren;
  /** Figures stand at the right. */
  readonly isNumber?: boolean;
  /** On a phone, where a row is a card: without its title, over the whole width. */
  readonly isWide?: boolean;
  /** Left out on a card where the cell is empty. */
  readonly isEmpty?: (row: Row) => boolean;
  /** Of the column, for its width. */
  readonly kind?: string;
}

export interface Selection {
  readonly has: (key: string) => boolean;
  readonly toggle: (key: string) => void;
  readonly set: (keys: readonly string[]) => void;
}

export interface TableProps<Row> {
  /** What a screen reader says of it. */
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  /** Of the row, for its checkbox. */
  readonly nameOf?: (row: Row) => string;
  readonly selection?: Selection | undefined;
  /** What is told of the row with a colour. */
  readonly toneOf?: (row: Row) => string | undefined;
  /** `lines`: it stays a table on a phone, for few narrow columns. */
  readonly narrow?: 'cards' | 'lines';
}

/** A table that is made of cards where there is no room: then its roles have to be written out. */
export function Table<Row>(props: TableProps<Row>): JSX.Element {
  const { caption, columns, rows, keyOf, selection, narrow = 'cards' } = props;
  return (
    <div class="table-scroll">
      <table role="table" class={`table as-${narrow}`} aria-label={caption}>
        <thead role="rowgroup">
          <tr role="row">
            {selection === undefined ? null : (
              <th role="columnheader" class="select-cell" scope="col">
                <SelectAll keys={rows.map(keyOf)} selection={selection} />
              </th>
            )}
            {columns.map(({ title, isNumber, kind }) => (
              <th role="columnheader" scope="col" key={title} class={classOf({ isNumber, kind })}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row) => (
            <Line key={keyOf(row)} row={row} {...props} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Line<Row>({
  row,
  columns,
  keyOf,
  nameOf,
  selection,
  toneOf,
}: TableProps<Row> & { readonly row: Row }): JSX.Element {
  const key = keyOf(row);
  return (
    <tr role="row" data-key={key} class={toneOf?.(row)} aria-selected={selection?.has(key)}>
      {selection === undefined ? null : (
        <td role="cell" class="select-cell">
          <label class="check">
            <input type="checkbox" checked={selection.has(key)} onChange={() => selection.toggle(key)} />
            <span class="visually-hidden">Select {nameOf?.(row) ?? key}</span>
          </label>
        </td>
      )}
      {columns.map((column) => {
        const isEmpty = column.isEmpty?.(row) === true;
        return (
          <td
            role="cell"
            key={column.title}
            data-title={column.title}
            class={classOf({ ...column, isEmpty })}
          >
            {column.cell(row)}
          </td>
        );
      })}
    </tr>
  );
}

interface Looks {
  readonly isNumber?: boolean | undefined;
  readonly isWide?: boolean | undefined;
  readonly isEmpty?: boolean;
  readonly kind?: string | undefined;
}

function classOf({ isNumber = false, isWide = false, isEmpty = false, kind }: Looks): string {
  return [isNumber && 'number', isWide && 'wide', isEmpty && 'empty-cell', kind !== undefined && `is-${kind}`]
    .filter((name) => name !== false)
    .join(' ');
}

function SelectAll({
  keys,
  selection,
}: {
  readonly keys: readonly string[];
  readonly selection: Selection;
}): JSX.Element {
  const box = useRef<HTMLInputElement>(null);
  const chosen = keys.filter((key) => selection.has(key)).length;
  const isAll = keys.length > 0 && chosen === keys.length;
  useEffect(() => {
    if (box.current !== null) box.current.indeterminate = chosen > 0 && !isAll;
  }, [chosen, isAll]);
  return (
    <label class="check">
      <input ref={box} type="checkbox" checked={isAll} onChange={() => selection.set(isAll ? [] : keys)} />
      <span class="visually-hidden">Select all on this page</span>
    </label>
  );
}
