/**
 * One row for each key, the last: a statement writes a row once, and rows written one after the other would leave the last.
 */
export function lastByKey<Row>(rows: readonly Row[], keyOf: (row: Row) => unknown): readonly Row[] {
  const byKey = new Map(rows.map((row) => [keyOf(row), row]));
  return byKey.size === rows.length ? rows : [...byKey.values()];
}
