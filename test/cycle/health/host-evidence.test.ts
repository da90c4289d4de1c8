import { describe, expect, it } from "vitest";
import {
  gatherEvidence,
  type HostAnswer,
  type HostEvidence,
  type Suspicion,
} from "../../../src/cycle/health/host-evidence.ts";

const none: Suspicion = { kind: "none" };

function note(
  evidence: HostEvidence,
  record: string,
  request: "read" | "write",
  answer: HostAnswer,
  known = false,
): Suspicion {
  return evidence.note({ record, request, answer, known });
}

describe("the evidence about the host", () => {
  it("asks for another record at the first failure of a cycle, and not again after a good answer", () => {
    const evidence = gatherEvidence();
    expect(note(evidence, "a", "read", "unavailable")).toEqual({ kind: "ask", suspect: "host" });
    evidence.acquit("host");
    expect(note(evidence, "b", "read", "unavailable")).toEqual(none);
    const other = gatherEvidence();
    note(other, "a", "write", "refused");
    expect(note(other, "b", "write", "unavailable")).toEqual(none);
    expect(note(other, "c", "read", "forbidden")).toEqual(none);
  });

  it("blames the host for five different people whose writes fail in a row, and the key for five 403s", () => {
    for (const [answer, suspect] of [
      ["unavailable", "host"],
      ["forbidden", "key"],
    ] as const) {
      const evidence = gatherEvidence();
      note(evidence, "z", "write", "taken");
      for (const record of ["a", "b", "c", "d"])
        expect(note(evidence, record, "write", answer)).toEqual(none);
      expect(note(evidence, "e", "write", answer)).toEqual({ kind: "certain", suspect, records: 5 });
    }
  });

  it("counts people, not requests", () => {
    const evidence = gatherEvidence();
    note(evidence, "z", "write", "taken");
    for (let time = 0; time < 20; time += 1) {
      expect(note(evidence, "a", time % 2 === 0 ? "read" : "write", "unavailable")).toEqual(none);
    }
  });

  it.each(["unavailable", "forbidden"] as const)(
    "starts to count again after a success in between (%s)",
    (answer) => {
      const evidence = gatherEvidence();
      for (const record of ["a", "b", "c", "d", "z", "e", "f"]) {
        expect(note(evidence, record, "write", record === "z" ? "taken" : answer).kind).not.toBe("certain");
      }
    },
  );

  it("does not take a successful read as proof that writes work", () => {
    const evidence = gatherEvidence();
    for (const record of ["a", "b", "c", "d"]) note(evidence, record, "write", "unavailable");
    note(evidence, "z", "read", "taken");
    evidence.acquit("host");
    expect(note(evidence, "e", "write", "unavailable").kind).toBe("certain");
  });

  it("asks instead of judging if reads fail, or people who failed before", () => {
    for (const [request, known] of [
      ["read", false],
      ["write", true],
    ] as const) {
      const evidence = gatherEvidence();
      note(evidence, "z", "write", "taken");
      for (const record of ["a", "b", "c", "d"]) note(evidence, record, request, "unavailable", known);
      expect(note(evidence, "e", request, "unavailable", known)).toEqual({ kind: "ask", suspect: "host" });
      evidence.acquit("host");
      expect(note(evidence, "f", request, "unavailable", known)).toEqual(none);
    }
  });

  it("does not take refused data as proof that the key may write", () => {
    const evidence = gatherEvidence();
    note(evidence, "z", "write", "taken");
    for (const record of ["a", "b", "c", "d"]) {
      note(evidence, record, "write", "forbidden");
      note(evidence, `${record}2`, "write", "refused");
    }
    expect(note(evidence, "e", "write", "forbidden").kind).toBe("certain");
  });
});
