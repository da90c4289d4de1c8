import { describe, expect, it } from "vitest";
import { parseEndpoint } from "../../src/config/endpoint.ts";

describe("parseEndpoint", () => {
  it.each([
    ["https://graph.microsoft.com", "https://graph.microsoft.com"],
    ["https://graph.microsoft.com/", "https://graph.microsoft.com"],
    ["HTTPS://Login.Example.COM:8443", "https://login.example.com:8443"],
    ["http://127.0.0.1:8080", "http://127.0.0.1:8080"],
    ["http://127.9.9.9", "http://127.9.9.9"],
    ["http://localhost:8080", "http://localhost:8080"],
    ["http://[::1]:8080", "http://[::1]:8080"],
  ])("accepts %s", (text, origin) => {
    expect(parseEndpoint(text)).toEqual({ origin });
  });

  it.each([
    ["graph.microsoft.com", "must be a URL such as https://graph.microsoft.com"],
    ["ftp://example.com", "must be a URL such as https://graph.microsoft.com"],
    ["https://example.com/v1.0", "must not have a path: write https://example.com"],
    ["https://example.com/?a=b", "must not have a path: write https://example.com"],
    ["https://me:pass@example.com", "must not contain a user name or password"],
  ])("refuses %s", (text, problem) => {
    expect(parseEndpoint(text)).toEqual({ problem });
  });

  it.each([
    "http://graph.example.com",
    "http://10.0.0.1",
    "http://127.0.0.1.example.com",
    "http://localhost.example.com",
  ])("refuses plain http to %s, which is another machine", (text) => {
    expect(parseEndpoint(text)).toEqual({
      problem: "must be an https:// URL (http:// only for this machine: 127.0.0.1, localhost)",
    });
  });
});
