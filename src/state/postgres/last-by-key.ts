/**
 * Keeps the last row of each key. One statement can write a row only once; written one after the other, the last one would stay.
 */
export function lastByKey<Row>(rows: readonly Row[], keyOf: (row: Row) => unknown): readonly Row[] {
  const byKey = new Map(rows.map((row) => [keyOf(row), row]));
  return byKey.size === rows.length ? rows : [...byKey.values()];
}
