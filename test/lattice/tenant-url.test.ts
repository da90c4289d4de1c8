import { describe, expect, it } from "vitest";
import { UsageError } from "../../src/domain/errors.ts";
import { normalizeLatticeUrl } from "../../src/lattice/tenant-url.ts";

const baseUrl = "https://api.latticehq.com/scim/v2";

describe("the Lattice URL", () => {
  it.each([baseUrl, `${baseUrl}/`, ` ${baseUrl}// `])("%j is accepted without its slashes", (input) => {
    expect(normalizeLatticeUrl(input)).toEqual({ url: baseUrl, notes: [] });
  });

  it.each([
    "?aadOptscim062020",
    "/?aadOptscim062020",
    "?AADOPTSCIM062020=",
    "?aadOptscim062020=true",
    "?aadOptscim062020/",
    "?&aadOptscim062020",
    "&aadOptscim062020",
    "/&aadOptscim062020",
  ])("loses Azure's flag written as %s, with a note", (flag) => {
    const { url, notes } = normalizeLatticeUrl(baseUrl + flag);
    expect(url).toBe(baseUrl);
    expect(notes).toEqual([expect.stringContaining("aadOptscim062020")]);
  });

  it.each([
    "https://api.latticehq.com",
    "https://api.latticehq.com/scim",
    "https://api.latticehq.com/scim/v1/",
  ])("is reported as doubtful if it is %s, without /scim/v2 at its end", (input) => {
    const { url, notes } = normalizeLatticeUrl(input);
    expect(url).toBe(input.replace(/\/$/, ""));
    expect(notes).toEqual([expect.stringContaining(`${url} does not end in /scim/v2`)]);
  });

  it.each(["http://localhost:8080/scim/v2", "http://127.0.0.1:1/scim/v2", "http://[::1]:1/scim/v2"])(
    "may be %s, which stays on this machine",
    (input) => {
      expect(normalizeLatticeUrl(input).url).toBe(input);
    },
  );

  it.each([
    "",
    "api.latticehq.com/scim/v2",
    "ftp://api.latticehq.com/scim/v2",
    "http://api.latticehq.com/scim/v2",
    "http://127.0.0.1.example.com/scim/v2",
    `${baseUrl}?token=abc`,
    `${baseUrl}?aadOptscim062020&x=1`,
    `${baseUrl}#top`,
    "https://user:hunter2@api.latticehq.com/scim/v2",
  ])("%j is refused", (input) => {
    expect(() => normalizeLatticeUrl(input)).toThrow(UsageError);
  });

  it("does not repeat a secret in its error", () => {
    for (const input of ["https://user:hunter2@api.latticehq.com", `${baseUrl}?key=hunter2`]) {
      expect(() => normalizeLatticeUrl(input)).toThrow(/^(?!.*hunter2)/);
    }
  });
});
