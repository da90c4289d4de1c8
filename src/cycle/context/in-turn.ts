/** Runs pieces of work one after the other, in the order in which they are asked for. */
export type InTurn = <Result>(work: () => Promise<Result>) => Promise<Result>;

/**
 * What is read of the state and then written must not be written by others in between: within a cycle each such piece has
 * its turn, and the lease keeps other runs away.
 */
export function createTurns(): InTurn {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const next = last.then(work);
    last = next.catch(() => undefined);
    return next;
  };
}
