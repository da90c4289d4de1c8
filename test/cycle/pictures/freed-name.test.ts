import { describe, expect, it } from "vitest";
import { createWorkplace, type Workplace } from "../workplace.ts";

const hourMs = 3_600_000;

/** A person who should get a userName that another account has, and who was refused so often that the next try is far away. */
async function waiting(
  prepare: (place: Workplace) => void,
  leave: (place: Workplace) => void = () => {},
): Promise<Workplace> {
  const place = await createWorkplace();
  place.source.hire("a");
  prepare(place);
  await place.cycle();
  leave(place);
  await place.cycle();
  place.source.change("a", { userPrincipalName: "wanted@example.com" });
  for (let cycle = 0; cycle < 5; cycle += 1) await place.cycle();
  const [retry] = await place.store.retries(9);
  expect(retry).toMatchObject({ objectId: "a", code: "ALREADY_EXISTS" });
  expect(retry?.nextTryAt).toBeGreaterThan(place.clock.now() + 2 * place.settings.intervalMs);
  return place;
}

function holder({ target }: Workplace) {
  const found = [...target.accounts.values()].find(({ userName }) => userName === "Wanted@Example.com");
  if (found === undefined) throw new Error("nobody has the name");
  return found;
}

const nameOfA = ({ target }: Workplace): string | undefined =>
  [...target.accounts.values()].find(({ externalId }) => externalId === "a")?.userName;

const stranger = ({ target }: Workplace): void => {
  target.add({ userName: "Wanted@Example.com", externalId: "of-another-system" });
};

describe("a userName that is freed by hand in Lattice has the people who wait for it planned again, in any letter case", () => {
  it("when a stranger who had it is renamed", async () => {
    await using place = await waiting(stranger);
    const account = holder(place);
    place.target.accounts.set(account.latticeId, { ...account, userName: "renamed@example.com" });
    expect(await place.cycle({ full: true })).toMatchObject({ done: 1, failed: 0 });
    expect(nameOfA(place)).toBe("wanted@example.com");
  });

  it("when a stranger who had it is removed", async () => {
    await using place = await waiting(stranger);
    place.target.accounts.delete(holder(place).latticeId);
    expect(await place.cycle({ full: true })).toMatchObject({ done: 1, failed: 0 });
    expect(nameOfA(place)).toBe("wanted@example.com");
  });

  it("when the account of a person who has left is renamed by hand", async () => {
    await using place = await waiting(
      ({ source }) => source.hire("b", { userPrincipalName: "Wanted@Example.com" }),
      ({ source }) => source.remove("b", "deleted"),
    );
    const account = holder(place);
    place.target.accounts.set(account.latticeId, { ...account, userName: "former.b@example.com" });
    await place.cycle({ full: true });
    await place.cycle();
    expect(nameOfA(place)).toBe("wanted@example.com");
  });

  it("when the account of a person who has left is removed, once that is confirmed", async () => {
    await using place = await waiting(
      ({ source }) => source.hire("b", { userPrincipalName: "Wanted@Example.com" }),
      ({ source }) => source.remove("b", "deleted"),
    );
    place.target.accounts.delete(holder(place).latticeId);
    await place.cycle({ full: true });
    place.clock.advance(7 * hourMs);
    // Failed again in between: the confirmed removal must not wait for the next day.
    await place.cycle();
    await place.cycle({ full: true });
    await place.cycle();
    expect(nameOfA(place)).toBe("wanted@example.com");
  });
});

describe("a userName that a leaver's account still has, although the leaver has another one in Entra", () => {
  const none = (): void => {};
  it.each([
    [
      "a person gets it",
      none,
      (place: Workplace) => place.source.change("a", { userPrincipalName: "b@example.com" }),
    ],
    [
      "a newcomer has it",
      none,
      (place: Workplace) => place.source.hire("c", { userPrincipalName: "b@example.com" }),
    ],
    [
      "a person who has it comes into the scope",
      (place: Workplace) => place.source.hire("d", { userPrincipalName: "b@example.com" }),
      (place: Workplace) => {
        place.source.scope = ["a", "d"];
      },
    ],
  ])("is freed by a round of changes alone when %s", async (_what, before, happens) => {
    await using place = await createWorkplace();
    for (const id of ["a", "b"]) place.source.hire(id);
    place.source.scope = ["a", "b"];
    await place.cycle();
    place.source.scope = ["a", "c"];
    await place.cycle();
    place.source.change("b", { userPrincipalName: "b.left@example.com" });
    await place.cycle();
    before(place);
    await place.cycle();
    expect(place.target.account("b@example.com").externalId).toBe("b");
    happens(place);
    await place.cycle();
    await place.cycle();
    expect(place.target.account("b.left@example.com").externalId).toBe("b");
    expect(place.target.account("b@example.com").externalId).not.toBe("b");
  });
});
