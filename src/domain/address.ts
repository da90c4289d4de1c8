const longest = 1_000;

/**
 * Whether an id or a name that came from outside can stand in an address, encoded, as one segment of its path: `..`
 * leads elsewhere however it is encoded, half of a surrogate pair cannot be encoded at all.
 */
export function fitsAddress(name: string): boolean {
  return name.length <= longest && !/^\.{0,2}$|\p{Cc}/u.test(name) && name.isWellFormed();
}
