/**
 * Orders operations so that each comes one wave after the one for which it waits, and never before the first wave of its
 * kind. A ring is cut at one member, which waits for none. Operations in wave 0 (leavers) never wait.
 * @param waitsFor for each operation the position of the one for which it waits, -1 for none
 * @param firstWaves for each operation the wave that its kind has, or the one that it must have for another reason
 */
export function waves(waitsFor: Int32Array, firstWaves: Uint32Array): Uint32Array {
  const unknown = 0xffffffff;
  const visiting = 0xfffffffe;
  const wave = new Uint32Array(waitsFor.length).fill(unknown);
  const path: number[] = [];
  const firstOf = (index: number): number => firstWaves[index] ?? 0;
  const earlierThan = (index: number): number => (firstOf(index) === 0 ? -1 : (waitsFor[index] ?? -1));

  for (let start = 0; start < waitsFor.length; start += 1) {
    let at = start;
    while (at >= 0 && wave[at] === unknown) {
      wave[at] = visiting;
      path.push(at);
      at = earlierThan(at);
    }
    // An operation that is met twice on the way is in a ring. It goes first.
    if (at >= 0 && wave[at] === visiting) wave[at] = firstOf(at);
    let next = at >= 0 ? (wave[at] ?? 0) + 1 : 0;
    for (let index = path.pop(); index !== undefined; index = path.pop()) {
      if (wave[index] === visiting) wave[index] = Math.max(next, firstOf(index));
      next = (wave[index] ?? 0) + 1;
    }
  }
  return wave;
}
