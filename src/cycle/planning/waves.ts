/**
 * Orders operations so that a manager's account is created before those of the reports: each comes one wave after its
 * manager's, and never before the first wave of its kind. A ring of managers is cut at one member, who goes first, without a
 * manager. Operations in wave 0 (leavers) never wait.
 * @param managerIndexes for each operation the position of its manager's operation, -1 for none
 * @param firstWaves for each operation the wave that its kind has
 */
export function waves(managerIndexes: Int32Array, firstWaves: Uint32Array): Uint32Array {
  const unknown = 0xffffffff;
  const visiting = 0xfffffffe;
  const wave = new Uint32Array(managerIndexes.length).fill(unknown);
  const path: number[] = [];
  const firstOf = (index: number): number => firstWaves[index] ?? 0;
  const managerOf = (index: number): number => (firstOf(index) === 0 ? -1 : (managerIndexes[index] ?? -1));

  for (let start = 0; start < managerIndexes.length; start += 1) {
    let at = start;
    while (at >= 0 && wave[at] === unknown) {
      wave[at] = visiting;
      path.push(at);
      at = managerOf(at);
    }
    // An operation that is met twice on the way up is in a ring. It goes first.
    if (at >= 0 && wave[at] === visiting) wave[at] = firstOf(at);
    let next = at >= 0 ? (wave[at] ?? 0) + 1 : 0;
    for (let index = path.pop(); index !== undefined; index = path.pop()) {
      if (wave[index] === visiting) wave[index] = Math.max(next, firstOf(index));
      next = (wave[index] ?? 0) + 1;
    }
  }
  return wave;
}
