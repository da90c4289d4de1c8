import { describe, expect, it } from "vitest";
import { httpSchema } from "../../src/config/schema-http.ts";

const accepts = (http: object): boolean => httpSchema.safeParse(http).success;
const trusts = (header: string, proxies: readonly string[]): boolean =>
  accepts({ trustedHeader: header, trustedProxies: proxies });

describe("a header in which a proxy names the user it has signed in", () => {
  it.each(["X-Forwarded-User", "Remote-User", "X-Auth-Request-Email", "Cf-Access-Authenticated-User-Email"])(
    "may be %s",
    (header) => {
      expect(trusts(header, ["10.1.0.7"])).toBe(true);
    },
  );

  it.each([
    "host",
    "Cookie",
    "Connection",
    "Origin",
    "Referer",
    "User-Agent",
    "Accept-Language",
    "Sec-Fetch-Site",
    "Transfer-Encoding",
    "Proxy-Authorization",
    "Authorization",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Requested-By",
    "Content-Type",
  ])("is refused if clients or proxies send it for other reasons: %s", (header) => {
    expect(trusts(header, ["10.1.0.7"])).toBe(false);
  });
});

describe("the addresses of trusted proxies", () => {
  it.each(["10.0.0.0/8", "fc00::/7", "192.168.1.1", "::1", "::ffff:10.1.0.0/112"])("may be %s", (network) => {
    expect(trusts("X-User", [network])).toBe(true);
  });

  it.each(["0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1", "::ffff:0:0/96", "::/80", "0.0.0.0", "::"])(
    "are refused if they cover nearly all networks: %s",
    (network) => {
      expect(trusts("X-User", ["10.1.0.7", network])).toBe(false);
    },
  );

  it("may be given without a header: then they only show where clients come from", () => {
    expect(accepts({ trustedProxies: ["10.1.0.7"] })).toBe(true);
  });
});
