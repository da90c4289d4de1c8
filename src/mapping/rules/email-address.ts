/** Deliberately plain: one @, no blanks or control characters, a dot in the domain (RFC 5321 leaves more to the server). */
export function isEmailAddress(text: string): boolean {
  return (
    text.length <= 254 && !/[\s\p{Cc}"(),:;<>[\\\]]/u.test(text) && /^[^@]+@[^@.]+(\.[^@.]+)+$/.test(text)
  );
}
