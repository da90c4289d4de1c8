import { describe, expect, it } from "vitest";
import { ConfigurationError } from "../../../src/domain/errors.ts";
import { createWorkplace, type Workplace } from "../workplace.ts";

const id = "aaaaaaaa-1111-4222-8333-bbbbbbbbbbbb";

const other = "cccccccc-1111-4222-8333-dddddddddddd";

const domain = "contoso.example.com";

async function established(tenantId: string, tenant: string | null = id): Promise<Workplace> {
  const place = await createWorkplace({ tenantId });
  place.source.tenant = tenant;
  place.source.domains = [domain];
  place.source.hire("a");
  await place.cycle();
  return place;
}

async function named(place: Workplace, tenantId: string): Promise<string> {
  place.settings = { ...place.settings, tenantId };
  return (await place.cycle()).outcome;
}

describe("a tenant that is configured under another name than before", () => {
  it("is the same in another letter case, without being asked", async () => {
    await using place = await established(id.toUpperCase(), null);
    expect(await named(place, id)).toBe("done");
    await using byDomain = await established(domain, null);
    expect(await named(byDomain, "Contoso.Example.COM")).toBe("done");
  });

  it("is the same by its id and by a verified domain name, in either order", async () => {
    await using byId = await established(id);
    expect(await named(byId, domain)).toBe("done");
    expect(await named(byId, id)).toBe("done");
    await using byDomain = await established(domain);
    expect(await named(byDomain, id.toUpperCase())).toBe("done");
  });

  it("is the same if it was learnt from a token, although the domain name is gone by now", async () => {
    await using place = await established(domain);
    await place.cycle();
    expect((await place.store.meta()).tenantGuid).toBe(id);
    place.source.domains = [];
    expect(await named(place, id)).toBe("done");
    expect(await named(place, "new.example.com")).toBe("done");
  });

  it("is another one if the token is for another, and no account is changed", async () => {
    await using place = await established(id);
    await place.cycle();
    place.source.reads.length = 0;
    place.source.tenant = other;
    await expect(named(place, domain)).rejects.toThrow(ConfigurationError);
    await expect(named(place, other)).rejects.toThrow(/belongs to the tenant aaaaaaaa-.*names cccccccc-/);
    // A domain name that now belongs to another tenant: the name is still the same.
    await expect(named(place, id)).rejects.toThrow(/belongs to the tenant aaaaaaaa-/);
    expect(place.source.reads).toEqual([]);
    expect(place.target.active()).toHaveLength(1);
  });

  it("is another one if no token shows it, and the names differ", async () => {
    await using place = await established(id, null);
    await expect(named(place, domain)).rejects.toThrow(/belongs to the tenant/);
  });
});

describe("a state database of another tenant", () => {
  it("is refused before anything is read or written", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    await place.cycle();
    place.source.reads.length = 0;
    place.settings = { ...place.settings, tenantId: "tenant-2" };
    await expect(place.cycle()).rejects.toThrow(ConfigurationError);
    await expect(place.cycle()).rejects.toThrow(/belongs to the tenant tenant-1/);
    expect(place.source.reads).toEqual([]);
    expect(await place.store.recentCycles(10)).toHaveLength(1);
  });
});
