import { expect, it } from "vitest";
import { type AccountedFor, accountsOf } from "../../../src/cycle/person/account-kinds.ts";
import { createWorkplace, type Workplace } from "../workplace.ts";

const scope = { mode: "all", configured: [], nested: true, guests: true } as const;
const lost = { userName: "kim.former@example.com", missingSince: 1, dissolvedAt: 2, reason: "gone" };

async function kindsOf(place: Workplace): Promise<Record<string, Partial<AccountedFor>>> {
  const all: Record<string, Partial<AccountedFor>> = {};
  const query = { department: null, now: place.clock.now(), signal: new AbortController().signal };
  for await (const page of accountsOf(place.store, { ...place.settings, scope }, query)) {
    for (const { latticeId, kind, reason, objectId, userPrincipalName } of page) {
      all[latticeId] = { kind, reason, objectId, userPrincipalName };
    }
  }
  return all;
}

it("an account that its former person cannot get back is nobody's, and one that carries the externalId of that time is not", async () => {
  await using place = await createWorkplace();
  place.source.hire("kim");
  await place.cycle();
  place.target.add({ userName: "kim.former@example.com" });
  place.target.add({ userName: "kim.returned@example.com", externalId: "former-id" });
  await place.cycle({ full: true });
  const former = { ...lost, objectId: "kim", externalId: "former-id" };
  await place.store.commit(
    { lostLinks: { put: ["lat-2", "lat-3"].map((latticeId) => ({ ...former, latticeId })) } },
    "private",
  );
  const { "lat-2": second, "lat-3": third } = await kindsOf(place);
  expect(second).toEqual({
    kind: "nobodys",
    reason: "no user of the directory has it; kim@example.com had it before and has the account lat-1 now",
    objectId: null,
    userPrincipalName: null,
  });
  expect(third).toMatchObject({ kind: "unlinked", objectId: "kim" });
  const { matched, nobodys } = await place.store.accountCounts();
  expect([matched.active, nobodys.active]).toEqual([1, 1]);
});
