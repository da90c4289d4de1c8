/**
 * Orders operations so that a manager's account is made before those of the reports: each gets the number of
 * operations above it. A ring of managers is cut at one member, who goes first without a manager.
 * @param managerIndexes for each operation the position of its manager's operation, -1 for none
 */
export function waves(managerIndexes: Int32Array): Uint32Array {
  const unknown = 0xffffffff;
  const visiting = 0xfffffffe;
  const depth = new Uint32Array(managerIndexes.length).fill(unknown);
  const path: number[] = [];

  for (let start = 0; start < managerIndexes.length; start += 1) {
    let at = start;
    while (at >= 0 && depth[at] === unknown) {
      depth[at] = visiting;
      path.push(at);
      at = managerIndexes[at] ?? -1;
    }
    // Met on the way up: a ring. The member met again is the one that goes first.
    if (at >= 0 && depth[at] === visiting) depth[at] = 0;
    let below = at >= 0 ? (depth[at] ?? 0) + 1 : 0;
    for (let index = path.pop(); index !== undefined; index = path.pop()) {
      if (depth[index] === visiting) {
        depth[index] = below;
        below += 1;
      } else {
        below = (depth[index] ?? 0) + 1;
      }
    }
  }
  return depth;
}
