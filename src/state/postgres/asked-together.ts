/**
 * Looks up single keys with few statements: keys that are asked for while a statement is under way share the next one. An answer is never
 * older than its request.
 */
export function askedTogether<Answer>(
  load: (keys: readonly string[]) => Promise<ReadonlyMap<string, Answer>>,
): (key: string) => Promise<Answer | undefined> {
  let next: { readonly keys: Set<string>; readonly answers: Promise<ReadonlyMap<string, Answer>> } | null =
    null;
  let before: Promise<unknown> = Promise.resolve();
  return async (key) => {
    if (next === null) {
      const keys = new Set<string>();
      const answers = before.then(() => {
        next = null;
        return load([...keys]);
      });
      before = answers.catch(() => {});
      next = { keys, answers };
    }
    next.keys.add(key);
    return (await next.answers).get(key);
  };
}
