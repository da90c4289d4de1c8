import { describe, expect, it } from "vitest";
import { ConfigurationError, HostUnavailableError } from "../../src/domain/errors.ts";
import { explainAuthenticationFailure, type TokenExchange } from "../../src/entra/authentication-error.ts";
import { PassingFault } from "../../src/entra/retry.ts";

const applicant = {
  tenantId: "tenant-id",
  clientId: "app-id",
  authority: new URL("https://login.example.com"),
  graphUrl: new URL("https://graph.example.com"),
  credential: "clientSecret",
} as const;
const host = applicant.authority.host;
const thrown = new Error("endpoints_resolution_error");
const explain = (exchange: TokenExchange, error: unknown = thrown) =>
  explainAuthenticationFailure(error, exchange, applicant);
const refused = (code: number, status = 401) =>
  explain({
    host,
    status,
    body: JSON.stringify({
      error: "invalid_client",
      error_description: `AADSTS${code}: What Entra says. Trace ID: 1\r\nmore`,
      error_codes: [code],
    }),
  });

describe("explainAuthenticationFailure", () => {
  it.each([
    [7000215, /secret is not one of the application app-id.*value \(not its ID\)/],
    [7000222, /has expired\. Create a new one/],
    [700016, /app-id does not exist in the tenant tenant-id/],
    [90002, /tenant tenant-id does not exist/],
    [700024, /clock is wrong/],
    [700027, /certificate is not registered/],
    [53003, /Conditional Access/],
    [500011, /belong to the same cloud/],
    [999999, /What Entra says\. Check entra\.tenantId/],
  ])("explains AADSTS%i", (code, words) => {
    const error = refused(code);
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error.message).toMatch(words);
    expect(error.message).toContain(`AADSTS${code}`);
    expect(error.message).not.toMatch(/Trace ID|\n/);
  });

  it.each([40010, 50000, 50196, 90006, 90012, 90024, 90033, 90055])(
    "treats AADSTS%i as an outage, whatever the status",
    (code) => {
      const error = refused(code, 400);
      expect(error).toMatchObject({ failure: { kind: "status", status: 503 } });
      expect(error).toMatchObject({ verdict: expect.any(HostUnavailableError) });
      expect(error.message).toContain(`AADSTS${code}`);
    },
  );

  it.each([408, 429, 500, 502, 503, 504])(
    "treats %i as an outage, although a code next to it accuses the secret",
    (status) => {
      const error = refused(7000215, status);
      expect(error).toMatchObject({ failure: { kind: "status", status } });
      expect(error).toMatchObject({ verdict: expect.any(HostUnavailableError) });
      expect(error.message).not.toMatch(/secret|Check/);
    },
  );

  it("treats a 5xx of the address for managed identities as an outage", () => {
    const error = explainAuthenticationFailure(
      thrown,
      { host: "169.254.169.254", status: 500, body: "" },
      { ...applicant, credential: "managedIdentity" },
    );
    expect(error).toMatchObject({ verdict: expect.any(HostUnavailableError) });
  });

  it("finds the code in the library's message if there was no answer", () => {
    const error = explain({}, new Error("AADSTS7000222: The provided client secret keys are expired."));
    expect(error.message).toMatch(/has expired/);
  });

  it("names the authority that cannot be reached", () => {
    const cause = Object.assign(new Error("connect"), { code: "ECONNREFUSED" });
    const error = explain({ host, error: cause });
    expect(error).toBeInstanceOf(PassingFault);
    expect(error.message).toMatch(/authority login\.example\.com cannot be reached \(ECONNREFUSED\)/);
  });

  it("does not try again if the certificate is not trusted", () => {
    const cause = Object.assign(new Error("tls"), { code: "SELF_SIGNED_CERT_IN_CHAIN" });
    const error = explain({ host, error: cause });
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error.message).toContain("NODE_EXTRA_CA_CERTS");
  });

  it.each([
    ["a time-out", { host }, new DOMException("late", "TimeoutError"), "timeout"],
    ["a 503", { host, status: 503, body: "" }, thrown, "status"],
    ["a page of a proxy", { host, status: 200, body: "<html>" }, thrown, "malformed"],
  ])("may try again after %s", (_name, exchange, error, kind) => {
    expect(explain(exchange, error)).toMatchObject({ failure: { kind } });
  });

  it.each([
    [302, "", /redirect/],
    [404, "", /not an answer of Entra/],
    [401, '{"error":"invalid_client"}', /refused the credentials of the application app-id/],
    [400, '{"error":"invalid_scope","error_description":"unknown scope"}', /invalid_scope.*unknown scope/],
  ])("explains a plain %i", (status, body, words) => {
    const error = explain({ host, status, body });
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error.message).toMatch(words);
  });

  it.each([
    ["managedIdentity", /No managed identity/],
    ["default", /default chain/],
    ["clientCertificate", /client certificate cannot be used: ENOENT/],
  ] as const)("explains %s without an answer of the authority", (credential, words) => {
    const exchange = {
      host: "169.254.169.254",
      error: Object.assign(new Error("x"), { code: "EHOSTUNREACH" }),
    };
    const error = explainAuthenticationFailure(new Error("ENOENT: no such file, open 'x.pem'"), exchange, {
      ...applicant,
      credential,
    });
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error.message).toMatch(words);
  });
});
