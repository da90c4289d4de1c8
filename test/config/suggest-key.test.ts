import { describe, expect, it } from "vitest";
import { suggestKeys } from "../../src/config/suggest-key.ts";

const known = [
  "entra",
  "entra.tenantId",
  "entra.clientId",
  "lattice",
  "lattice.url",
  "schedule.every",
  "reconcile.every",
];

describe("suggestKeys", () => {
  it.each([
    ["entra.tenentId", ["entra.tenantId"]],
    ["entra.tenant_id", ["entra.tenantId"]],
    ["ENTRA.TenantID", ["entra.tenantId"]],
    ["tenantId", ["entra.tenantId"]],
    ["lattice.clientId", ["entra.clientId"]],
    ["latice", ["lattice"]],
    ["every", ["schedule.every", "reconcile.every"]],
    ["schedule.evry", ["schedule.every"]],
    ["entra.favouriteColour", []],
  ])("for %s suggests %j", (unknownKey, expected) => {
    expect(suggestKeys(unknownKey, known)).toEqual(expected);
  });
});
