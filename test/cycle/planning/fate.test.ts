import { describe, expect, it } from "vitest";
import { fateOf } from "../../../src/cycle/planning/fate.ts";
import type { Leaving, SeenEvent } from "../../../src/cycle/planning/leaving.ts";

const seen: SeenEvent = {
  event: "disabled",
  evidence: { kind: "accountDisabled", detail: "account disabled in Entra" },
  since: 0,
};
const none: Leaving = { kind: "none" };
const due: Leaving = { kind: "due", seen };
const waiting: Leaving = { kind: "waiting", seen, until: 1 };
const ignored: Leaving = { kind: "ignored", seen };

/** The fate of an account that is active or not (`has`), and should be active or not (`shall`); `null`: not shown, not mapped. */
function fate(
  shall: boolean | null,
  has: boolean | null,
  leaving: Leaving,
  unconfirmed: string | null = null,
): ReturnType<typeof fateOf> {
  // Only the mapped `active` is used.
  const mapped = { active: shall } as Parameters<typeof fateOf>[0]["mapped"];
  return fateOf({ mapped, leaving, unconfirmed }, { active: has });
}

describe("the fate of an account", () => {
  it.each([
    { shall: true, has: true, kind: "same" },
    { shall: true, has: false, kind: "on" },
    { shall: true, has: null, kind: "on" },
    { shall: null, has: true, kind: "same" },
    { shall: null, has: false, kind: "same" },
  ])("that should be active: $shall, and is: $has, is $kind, whatever was seen", ({ shall, has, kind }) => {
    for (const leaving of [none, due, waiting, ignored]) expect(fate(shall, has, leaving)).toEqual({ kind });
  });

  it.each([true, null])(
    "that should be inactive and is shown as active: %s depends on the evidence",
    (has) => {
      expect(fate(false, has, due)).toEqual({ kind: "off", evidence: seen.evidence });
      expect(fate(false, has, waiting)).toEqual({ kind: "later", leaving: waiting });
      expect(fate(false, has, ignored)).toEqual({ kind: "ignored", leaving: ignored });
      expect(fate(false, has, none)).toEqual({ kind: "withoutEvidence" });
      expect(fate(false, has, none, "no answer")).toEqual({ kind: "unconfirmed", reason: "no answer" });
    },
  );

  it("is decided by believed evidence, although other evidence is unconfirmed", () => {
    expect(fate(false, true, due, "no answer")).toEqual({ kind: "off", evidence: seen.evidence });
  });

  it("that is already inactive stays the same, and is not changed if the event is ignored", () => {
    for (const leaving of [none, due, waiting])
      expect(fate(false, false, leaving, "no answer")).toEqual({ kind: "same" });
    expect(fate(false, false, ignored)).toEqual({ kind: "untouched" });
  });
});
