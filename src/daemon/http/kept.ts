/** Reuses the result of `make` for `ageMs`. Requests that come while it is made wait for the same result. */
export function kept<T>(
  ageMs: number | (() => number),
  now: () => number,
  make: () => Promise<T>,
): () => Promise<T> {
  let answer: Promise<T> | null = null;
  let madeAt = 0;
  return () => {
    const age = now() - madeAt;
    if (answer === null || age >= (typeof ageMs === "number" ? ageMs : ageMs()) || age < 0) {
      madeAt = now();
      answer = make();
      answer.catch(() => {
        answer = null;
      });
    }
    return answer;
  };
}
