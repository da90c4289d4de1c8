const quietMs = 60_000;

/**
 * Limits messages about events that others can cause as often as they like: `say` is called at most once a minute, with the
 * number of events since its last call.
 * @param now milliseconds since the epoch
 */
export function occasionally<Details>(
  now: () => number,
  say: (details: Details, times: number) => void,
): (details: Details) => void {
  let saidAt = Number.NEGATIVE_INFINITY;
  let unsaid = 0;
  return (details) => {
    unsaid += 1;
    const age = now() - saidAt;
    if (age >= 0 && age < quietMs) return;
    saidAt = now();
    say(details, unsaid);
    unsaid = 0;
  };
}
