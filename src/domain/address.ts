const longest = 1_000;

/**
 * `true` if an id or a name from outside can be one encoded segment of a path. Two kinds cannot: `..` leads elsewhere even
 * if it is encoded, and half of a surrogate pair cannot be encoded.
 */
export function fitsAddress(name: string): boolean {
  return name.length <= longest && !/^\.{0,2}$|\p{Cc}/u.test(name) && name.isWellFormed();
}
