import { describe, expect, it } from "vitest";
import { createWorkplace, lenientGuard } from "../workplace.ts";

describe("the second round of a cycle, which closes rings of managers", () => {
  it.each(["a", "z"])("sends nothing that the guard holds for their members (%s)", async (back) => {
    const guard = { ...lenientGuard, maxRenames: 0, renameFloor: 0 };
    await using place = await createWorkplace({ guard, managerRings: "send" });
    place.source.hire(back);
    await place.cycle();
    place.source.change(back, { accountEnabled: false });
    await place.cycle();
    // The person who comes back with another userName has a new manager, who also has a new manager; that one's manager is the first.
    place.source.change(back, { accountEnabled: true, userPrincipalName: "renamed@example.com" });
    place.source.hire("m", {}, "n");
    place.source.hire("n", {}, back);
    place.source.setManager(back, "m");
    expect(await place.cycle()).toMatchObject({ outcome: "held", heldOperations: 1 });
    expect(place.target.active()).toEqual([`${back}@example.com`, "m@example.com", "n@example.com"].sort());
    // The ring is closed in this cycle or the next; the rename waits for a person's decision.
    expect(await place.cycle()).toMatchObject({ outcome: "held", heldOperations: 1 });
    expect(place.target.managerOf(`${back}@example.com`)).toBe("m@example.com");
    expect(place.target.managerOf("m@example.com")).toBe("n@example.com");
    expect(place.target.managerOf("n@example.com")).toBe(`${back}@example.com`);
  });
});
