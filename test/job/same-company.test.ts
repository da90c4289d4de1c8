import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import type { Config } from "../../src/config/schema.ts";
import type { Meta } from "../../src/domain/state/meta.ts";
import { refuseAnotherCompany } from "../../src/job/same-company.ts";
import { workplace } from "../config/workplace.ts";

const [one, other] = ["0f0f0f0f-0000-4000-8000-00000000000a", "0f0f0f0f-0000-4000-8000-00000000000b"];

const configured = (tenantId: string): Config =>
  loadConfig({ env: { AZURE_TENANT_ID: tenantId }, cwd: workplace() }).config;
const compare = (notes: Partial<Meta>, tenantId: string) => (): void =>
  refuseAnotherCompany(notes, "the file", { config: configured(tenantId), embedded: undefined });

describe("a state that moves to another place", () => {
  it("is refused if the id of its tenant, known behind a domain name, is another one", () => {
    const notes = { tenantId: "example.onmicrosoft.com", tenantGuid: one };
    expect(compare(notes, one)).not.toThrow();
    expect(compare(notes, other)).toThrow(
      `the file is the state of the tenant example.onmicrosoft.com, and the configuration names ${other}`,
    );
  });

  it("is left to the next cycle if only one side is a domain name, or both are", () => {
    expect(compare({ tenantId: "example.onmicrosoft.com" }, one)).not.toThrow();
    expect(compare({ tenantId: one }, "example.com")).not.toThrow();
    expect(compare({ tenantId: "example.onmicrosoft.com" }, "example.com")).not.toThrow();
    expect(compare({ tenantId: one.toUpperCase() }, other)).toThrow("is the state of the tenant");
  });
});
