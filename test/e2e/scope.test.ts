import { expect, it } from "vitest";
import { startSandbox } from "../../src/sandbox/sandbox.ts";
import { configuration, makeWorkplace } from "../process/real-process.ts";

it("follows a nested group of a filter, people by name, and delays, through the real process", {
  timeout: 120_000,
}, async () => {
  await using sandbox = await closing(await startSandbox({ file: ":memory:", people: 30 }));
  using place = makeWorkplace();
  const { directory, lattice } = sandbox.value;
  const team = directory.createGroup("Pilot team");
  const pilots = directory.createGroup("Pilots", { groups: [team] });
  const hire = (name: string) =>
    directory.createUser({
      userPrincipalName: `${name}@example.com`,
      displayName: name,
      employeeType: "Employee",
    });
  const [ann, bob, cem] = [hire("ann"), hire("bob"), hire("cem"), hire("dan")];
  directory.addMember(team, ann);
  directory.addMember(pilots, bob);
  const clauses = [
    { memberOf: "Pilots" },
    { attribute: "employeeType", operator: "EQUALS", value: "Employee" },
  ];

  const run = async (...args: readonly string[]) => {
    const connected = configuration({ sandbox: sandbox.value, statePath: place.statePath });
    const file = place.configure({
      ...connected,
      entra: {
        ...connected.entra,
        scope: { mode: "all", filters: [{ clauses }], include: ["dan@example.com"] },
      },
      actions: { onDisable: { do: "deactivate", afterDays: 7 } },
    });
    const { code, stdout, stderr } = await place.start([...args, "--config", file]).ended;
    return { code, out: stdout, err: stderr };
  };
  const active = () =>
    [...lattice.accounts()]
      .filter((account) => account.active === true)
      .map(({ userName }) => userName)
      .sort();

  const before = active();
  expect((await run("sync")).code).toBe(0);
  const made = () => active().filter((name) => !before.includes(name));
  expect(made()).toEqual(["ann@example.com", "bob@example.com", "dan@example.com"]);

  directory.removeMember(team, ann);
  directory.addMember(team, cem);
  directory.updateUser(bob, { accountEnabled: false });
  expect((await run("sync")).code).toBe(0);
  expect(made()).toEqual(["bob@example.com", "cem@example.com", "dan@example.com"]);
  const { delayed } = JSON.parse((await run("status", "--format", "json")).out);
  expect(delayed).toEqual({
    count: 1,
    people: [
      {
        objectId: bob,
        userName: "bob@example.com",
        reason: expect.stringMatching(/^account disabled in Entra, first seen on .* \(actions\.onDisable\)$/),
      },
    ],
  });
  // A group that is gone ends the cycle before anything is written.
  directory.deleteGroup(pilots);
  const gone = await run("sync");
  expect(gone.code).toBe(1);
  expect(gone.err).toContain('Entra has no group "Pilots"');
  expect(gone.err).toContain("entra.scope.filters");
  expect(made()).toEqual(["bob@example.com", "cem@example.com", "dan@example.com"]);
});

async function closing<Value extends { close(): Promise<void> }>(
  value: Value,
): Promise<AsyncDisposable & { readonly value: Value }> {
  return { value, [Symbol.asyncDispose]: () => value.close() };
}
