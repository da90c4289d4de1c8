/** `true` if `name` is an IANA time zone, or an offset such as +02:00. */
export function isTimeZone(name: string): boolean {
  // Not for the default: loading all time zones takes time.
  if (name === "UTC") return true;
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
