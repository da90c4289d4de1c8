/**
 * Waits until all of these have ended, however they end: a cycle that has ended must neither ask nor write any more.
 * @returns their results, in the order given
 * @throws the error that came first
 */
export async function allEnded<Result>(work: readonly Promise<Result>[]): Promise<readonly Result[]> {
  const all = Promise.all(work);
  // It may fail long before the last one ends, and is awaited only then.
  all.catch(() => {});
  await Promise.allSettled(work);
  return all;
}
