/** A column's heading, and whether its cells are numbers, which end at its right edge. */
export interface Column {
  readonly heading: string;
  readonly numeric?: boolean;
}

/** Lays cells out in aligned columns, two spaces apart, one line a row under the headings. */
export function textTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const lines = [columns.map((column) => column.heading), ...rows];
  const widths = columns.map((_, index) => Math.max(...lines.map((cells) => cells[index]?.length ?? 0)));
  const aligned = (cell: string, index: number): string =>
    columns[index]?.numeric ? cell.padStart(widths[index] ?? 0) : cell.padEnd(widths[index] ?? 0);
  return lines.map((cells) => `${cells.map(aligned).join('  ').trimEnd()}\n`).join('');
}
