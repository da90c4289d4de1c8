import { expect, it } from "vitest";
import { runCycle } from "../../../src/cycle/cycle.ts";
import type { StateStore } from "../../../src/domain/state/store.ts";
import { createWorkplace } from "../workplace.ts";

it("pages of people and accounts do not wait for the disk, and the watermark after them does", async () => {
  await using place = await createWorkplace();
  for (let number = 0; number < 3; number += 1) place.source.hire(`p${number}`);
  const seen: { readonly what: string; readonly mayBeLost: boolean }[] = [];
  const watching: StateStore = {
    ...place.store,
    commit: async (change, fence) => {
      const { people, accounts, sent, notes, mayBeLost = false } = change;
      if (people !== undefined) seen.push({ what: "people", mayBeLost });
      if (accounts?.put !== undefined && sent === undefined) seen.push({ what: "accounts", mayBeLost });
      if (notes?.watermark !== undefined) seen.push({ what: "watermark", mayBeLost });
      await place.store.commit(change, fence);
    },
  };
  const ports = { ...place.ports(), store: watching };
  const signal = new AbortController().signal;
  await runCycle({ ...ports }, { dryRun: false, full: false, fence: "private", signal });
  seen.length = 0;
  place.source.hire("later");
  place.target.add({ userName: "kim@example.com" });
  await runCycle({ ...ports }, { dryRun: false, full: true, fence: "private", signal });
  const written = seen.map(({ what, mayBeLost }) => `${what} ${mayBeLost ? "may be lost" : "on the disk"}`);
  expect([...new Set(written)]).toEqual([
    "people may be lost",
    "watermark on the disk",
    "accounts may be lost",
  ]);
});
