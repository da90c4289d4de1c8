import { expect, it } from "vitest";
import { openFleetStore } from "../../../src/state/postgres/fleet/store.ts";
import { openStore } from "../../../src/state/postgres/store.ts";
import { placeInFreshSchema } from "./place.ts";

const account = (latticeId: string, objectId: string | null, missingSince: number | null = null) => ({
  latticeId,
  userName: `${latticeId}@example.com`,
  externalId: null,
  active: true,
  values: {},
  acknowledged: {},
  drifted: {},
  objectId,
  readIn: 1,
  readAgain: null,
  missingSince,
});

it("a job is told a few accounts of the other jobs of its database: of those that are named, and of those that a living daemon runs", async () => {
  await using stack = new AsyncDisposableStack();
  const place = await placeInFreshSchema();
  const open = async (job: string) =>
    stack.adopt(await openStore({ ...place, job }), (store) => store.close());
  const [own, other, abroad, old] = [
    await open("own"),
    await open("other"),
    await open("abroad"),
    await open("old"),
  ];
  await own.commit({ accounts: { put: [account("x", "p")] } }, "private");
  const many = Array.from({ length: 20 }, (_, index) => account(`a${index + 10}`, null));
  await other.commit(
    { accounts: { put: [...many, account("z", "p"), account("0-gone", "q", 5)] } },
    "private",
  );
  await abroad.commit({ accounts: { put: [account("x", "p")] } }, "private");
  await old.commit({ accounts: { put: [account("x", "p")] } }, "private");
  const daemons = stack.adopt(await openFleetStore(place), (store) => store.close());
  await daemons.announce({ id: "w", host: "h", version: "1", workLevel: 1 }, [
    { name: "abroad", digest: "d", identity: "i" },
    { name: "own", digest: "d", identity: "i" },
  ]);

  const found = await own.accountsElsewhere({ among: ["other"], except: ["own"] });
  expect(
    found
      .filter(({ job }) => job === "other")
      .map(({ latticeId }) => latticeId)
      .sort(),
  ).toEqual(["a10", "a11", "a12", "a13", "a14", "z"]);
  expect(found.find(({ latticeId }) => latticeId === "z")?.linked).toBe(true);
  expect(found.find(({ latticeId }) => latticeId === "a10")?.linked).toBe(false);
  expect(found.filter(({ job }) => job !== "other")).toEqual([
    { job: "abroad", latticeId: "x", linked: true },
  ]);
  expect(await own.accountsElsewhere({ among: ["other"], except: ["own", "other", "abroad"] })).toEqual([]);
});
