import { expect, it } from "vitest";
import { personDetails } from "../../../src/cycle/person/details.ts";
import { concealedBy } from "../../../src/mapping/rules/concealed.ts";
import { createWorkplace, defaultRules, mappingOf } from "../workplace.ts";

it("details distinguish people by name, title, department and manager, without redacted values", async () => {
  await using place = await createWorkplace();
  place.source.hire("boss", { displayName: "Bo Example", jobTitle: "Head", department: "Sales" });
  place.source.hire("kim", { displayName: "Kim Example", jobTitle: "Clerk", department: "Sales" }, "boss");
  place.source.hire("sam", { displayName: "", userPrincipalName: "sam@example.com" }, "kim");
  await place.cycle();
  const ids = ["kim", "sam", "never-seen"];
  const shown = await personDetails(place.store, ids, concealedBy(place.settings.mapping));
  expect(Object.fromEntries(shown)).toEqual({
    kim: { displayName: "Kim Example", jobTitle: "Clerk", department: "Sales", manager: "Bo Example" },
    sam: { displayName: null, jobTitle: null, department: null, manager: "Kim Example" },
  });
  const redacting = mappingOf([
    ...defaultRules.filter(
      (rule) => !("target" in rule && ["displayName", "title"].includes(String(rule.target))),
    ),
    { target: "displayName", expression: "Redact([displayName])" },
    { target: "title", expression: "Redact([jobTitle])" },
  ]);
  const concealed = await personDetails(place.store, ids, concealedBy(redacting));
  expect(concealed.get("kim")).toEqual({
    displayName: null,
    jobTitle: null,
    department: "Sales",
    manager: "boss@example.com",
  });
});
