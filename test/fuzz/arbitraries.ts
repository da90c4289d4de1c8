import fc from "fast-check";

/** Text that has broken parsers: quotes, escapes, line ends, half surrogates, dots and slashes, names of `Object.prototype`. */
const awkward = [
  "",
  " ",
  '"',
  "'",
  "''",
  "\\",
  '\\"',
  '" or userName pr or "" eq "',
  "' or displayName ne '",
  "%22",
  "%2e%2e",
  "a/b",
  "/",
  "..",
  ".",
  "../../groups",
  "..\\..",
  "?",
  "?x=1",
  "#",
  "&",
  "a&b=c",
  "+",
  "a b",
  "\n",
  "\r\nX-Injected: 1",
  "\t",
  "\0",
  "\u001b[31m",
  "\u2028",
  "\u202e",
  "\ud800",
  "\udfff x",
  "ß",
  "İ",
  "日本語",
  "👩‍👩‍👧",
  "\ufeff",
  "$ref",
  "$count",
  "__proto__",
  "constructor",
  "toString",
  "true",
  "null",
  "[",
  "(",
  "{}",
  "a".repeat(5_000),
];

export const nastyText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...awkward),
  fc.string({ unit: "binary" }),
  // Code units one by one, half surrogates among them.
  fc.array(fc.nat(0xffff), { maxLength: 12 }).map((units) => String.fromCharCode(...units)),
  fc.array(fc.constantFrom(...awkward), { maxLength: 5 }).map((parts) => parts.join("")),
);

const nastyNumber = fc.constantFrom(0, -0, -1, 0.5, 1e15, Number.MAX_SAFE_INTEGER, Number.MAX_VALUE, -1e300);

const nastyKey = fc.oneof(
  nastyText,
  fc.constantFrom("id", "ID", "value", "type", "primary", "@removed", "error", "detail", "hasOwnProperty"),
);

/** Any value that JSON can carry. */
export const nastyJson: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.oneof(fc.constantFrom(null, true, false, ""), nastyText, nastyNumber),
    fc.array(tie("value"), { maxLength: 4 }),
    record(fc.array(fc.tuple(nastyKey, tie("value")), { maxLength: 4 })),
  ),
})).value;

/** An object with these own properties, `__proto__` too. */
function record(entries: fc.Arbitrary<[string, unknown][]>): fc.Arbitrary<Record<string, unknown>> {
  return entries.map((pairs) => Object.fromEntries(pairs));
}

/** `shape` with some properties left out, of another type, or joined by others. */
export function mangled(shape: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<unknown> {
  const properties = Object.entries(shape).map(([name, good]) =>
    fc
      .oneof({ weight: 8, arbitrary: good }, { weight: 1, arbitrary: nastyJson })
      .map((value): [string, unknown] => [name, value]),
  );
  const extra = fc.array(fc.tuple(nastyKey, nastyJson), { maxLength: 2 });
  return fc
    .tuple(fc.tuple(...properties), extra, fc.option(fc.nat(properties.length - 1), { freq: 5 }))
    .map(([pairs, others, dropped]) =>
      Object.fromEntries([...others, ...pairs.filter((_, index) => index !== dropped)]),
    );
}

/** The possible content of a header on the wire: one line of Latin-1. */
const headerText: fc.Arbitrary<string> = nastyText.map((text) =>
  text.replaceAll(/[^\t\x20-\x7e\x80-\xff]/gu, "?"),
);

export const retryAfter: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    "0",
    "1",
    "30",
    "2.5",
    "-5",
    "-1e309",
    "1e309",
    "NaN",
    "Infinity",
    "",
    "9".repeat(400),
    "9".repeat(10_000),
    "86400",
    "0x10",
    "Thu, 01 Jan 1970 00:00:00 GMT",
    "Fri, 31 Dec 9999 23:59:59 GMT",
    "Sun, 99 Foo 2026 99:99:99 GMT",
    "2027-01-01T00:00:00Z",
    `Mon, ${"0".repeat(10_000)}`,
  ),
  headerText,
);

/** The parts of an answer besides the body. */
export const answerHeaders: fc.Arbitrary<Record<string, string>> = fc.record(
  {
    "content-type": fc.constantFrom(
      "application/json",
      "application/scim+json; charset=utf-8",
      "application/json; charset=utf-16le",
      "text/html",
      "",
      "image/png",
    ),
    "content-encoding": fc.constantFrom("identity", "gzip", "br", "nonsense"),
    "retry-after": retryAfter,
    location: fc.oneof(
      fc.constantFrom(
        "http://stranger.example.com/",
        "javascript:alert(1)",
        "/elsewhere",
        "//x",
        "http://",
        "",
      ),
      headerText,
    ),
    date: fc.constantFrom("Fri, 31 Dec 9999 23:59:59 GMT", "never", "-1", "Thu, 01 Jan 1970 00:00:00 GMT"),
    "request-id": headerText,
    "x-request-id": headerText,
    "www-authenticate": fc.oneof(fc.constantFrom('Bearer claims="eyJ4Ijox"', 'claims="===="'), headerText),
    etag: headerText,
  },
  { requiredKeys: [] },
);

export const answerStatus: fc.Arbitrary<number> = fc.oneof(
  { weight: 6, arbitrary: fc.constant(200) },
  { weight: 1, arbitrary: fc.constantFrom(201, 202, 204, 206, 299, 300, 302, 304, 307, 308) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(400, 401, 403, 404, 405, 407, 408, 409, 410, 412, 413, 418, 429, 431),
  },
  { weight: 1, arbitrary: fc.constantFrom(500, 501, 502, 503, 504, 599) },
);

/** The way in which a body reaches the other side. */
export type Delivery = "whole" | "cut" | "dropped" | "utf16" | "latin1" | "bom";

export const delivery: fc.Arbitrary<Delivery> = fc.oneof(
  { weight: 12, arbitrary: fc.constant<Delivery>("whole") },
  { weight: 1, arbitrary: fc.constantFrom<Delivery>("cut", "dropped", "utf16", "latin1", "bom") },
);
