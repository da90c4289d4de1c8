import { describe, expect, it } from "vitest";
import { runCycle } from "../../../src/cycle/cycle.ts";
import { openScratchStore } from "../../../src/state/sqlite/store.ts";
import { kept } from "../../state/kept.ts";
import { createWorkplace, defaultRules, mappingOf } from "../workplace.ts";

const lattice = "urn:ietf:params:scim:schemas:extension:lattice:attributes:1.0:User";
const target = `${lattice}:managerName`;
const mapping = mappingOf([...defaultRules, { target, source: "manager.displayName" }]);

/** A workplace with Ada, who leads Kim and Ben; all three are in Lattice. */
async function team() {
  const place = await createWorkplace({ mapping });
  // The reports come before their manager, in reading and in planning.
  place.source.hire("ben", {}, "z-ada");
  place.source.hire("kim", {}, "z-ada");
  place.source.hire("z-ada", { displayName: "Ada Example" });
  await place.cycle();
  return place;
}

function names(place: Awaited<ReturnType<typeof team>>): unknown[] {
  return ["ben", "kim"].map(
    (name) =>
      [...place.target.accounts.values()].find((one) => one.userName === `${name}@example.com`)?.values[
        target
      ],
  );
}

describe("an attribute of the manager", () => {
  it("changes for the reports when it changes for the manager, also in a dry run", async () => {
    await using place = await team();
    expect(names(place)).toEqual(["Ada Example", "Ada Example"]);

    place.source.change("z-ada", { displayName: "Ada Other" });
    const scratch = openScratchStore(place.path);
    const preview = await runCycle(
      { ...place.ports(), store: scratch },
      { dryRun: true, full: false, fence: "private", signal: new AbortController().signal },
    );
    await scratch.close();
    expect(preview.header.summary).toMatchObject({ update: 3 });
    const done = await place.cycle();
    expect(done.header.summary).toMatchObject({ update: 3 });
    expect(names(place)).toEqual(["Ada Other", "Ada Other"]);
    expect((await place.cycle()).header.summary).toMatchObject({ update: 0 });
  });

  it("is known as soon as the manager is, even if the manager gets no account", async () => {
    await using place = await createWorkplace({ mapping });
    place.source.scope = ["kim", "ben"];
    place.source.hire("ben", {}, "z-ada");
    place.source.hire("kim", {}, "z-ada");
    await place.cycle();
    expect(names(place)).toEqual([undefined, undefined]);
    place.source.hire("z-ada", { displayName: "Ada Example" });
    await place.cycle();
    expect(names(place)).toEqual(["Ada Example", "Ada Example"]);
  });

  it("marks no one if another attribute of the manager changes", async () => {
    await using place = await team();
    await kept(place.store).people(
      [
        {
          kind: "upsert",
          objectId: "z-ada",
          attributes: { jobTitle: "Lead" },
          complete: false,
          managerId: undefined,
        },
      ],
      99,
      () => null,
      mapping.ofManager,
    );
    const marked = await place.store.candidates({
      select: "marked",
      everyoneInScope: true,
      after: "",
      limit: 9,
    });
    expect(marked.map(({ source }) => source.objectId)).toEqual(["z-ada"]);
  });

  it("follows a change of manager, and is cleared without one", async () => {
    await using place = await team();
    place.source.hire("z-eve", { displayName: "Eve Example" });
    place.source.setManager("ben", "z-eve");
    place.source.setManager("kim", null);
    await place.cycle();
    expect(names(place)).toEqual(["Eve Example", undefined]);
  });

  it("is updated with the person in a cycle for one person", async () => {
    await using place = await team();
    place.source.change("z-ada", { displayName: "Ada Other" });
    await place.cycle({ only: ["kim@example.com"] });
    expect(names(place)).toEqual(["Ada Example", "Ada Other"]);
    // The other report is not forgotten.
    await place.cycle();
    expect(names(place)).toEqual(["Ada Other", "Ada Other"]);
  });
});
