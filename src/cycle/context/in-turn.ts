/** Runs pieces of work one after the other, in the order in which they are asked for. */
export type InTurn = <Result>(work: () => Promise<Result>) => Promise<Result>;

/**
 * Creates the turns of one cycle. State that is read and then written must not change in between: within a cycle, each such
 * piece of work has its turn; the lease keeps other runs away.
 */
export function createTurns(): InTurn {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const next = last.then(work);
    last = next.catch(() => undefined);
    return next;
  };
}
