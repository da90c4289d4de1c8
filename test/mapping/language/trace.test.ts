import { describe, expect, it } from "vitest";
import { parseExpression } from "../../../src/mapping/language/expression.ts";
import { type TraceStep, traceExpression } from "../../../src/mapping/language/trace.ts";
import type { Value } from "../../../src/mapping/language/value.ts";
import { fixedEnvironment } from "../environment.ts";

function traceOf(text: string, attributes: { readonly [name: string]: Value } = {}): TraceStep {
  return traceExpression(parseExpression(text), text, (name) => attributes[name] ?? null, fixedEnvironment())
    .trace;
}

describe("the trace of an expression", () => {
  it("has each call with its arguments and its result", () => {
    expect(traceOf('ToLower(Append([mail], ".TEST"))', { mail: "Kim@example.com" })).toEqual({
      kind: "call",
      expression: 'ToLower(Append([mail], ".TEST"))',
      evaluated: true,
      value: "kim@example.com.test",
      parts: [
        {
          kind: "call",
          expression: 'Append([mail], ".TEST")',
          evaluated: true,
          value: "Kim@example.com.TEST",
          parts: [
            { kind: "attribute", expression: "[mail]", evaluated: true, value: "Kim@example.com", parts: [] },
            { kind: "constant", expression: '".TEST"', evaluated: true, value: ".TEST", parts: [] },
          ],
        },
      ],
    });
  });

  it("shows the branch that was taken, and that the other was not evaluated", () => {
    const trace = traceOf('IIF([country] = "USA", [state], Word([displayName], 9, " "))', {
      country: "USA",
      state: "OH",
      displayName: "Kim Example",
    });
    expect(trace.value).toBe("OH");
    expect(trace.parts.map(({ kind, evaluated, value }) => [kind, evaluated, value])).toEqual([
      ["condition", true, true],
      ["attribute", true, "OH"],
      ["call", false, null],
    ]);
  });

  it("says where an error comes from", () => {
    const trace = traceOf('Append(Mid([displayName], [city], 2), "x")', { displayName: "Kim", city: "Rome" });
    expect(trace.problem).toMatch(/must be a/);
    expect(trace.parts[0]?.problem).toBe(trace.problem);
    // Parts after the error were not evaluated.
    expect(trace.parts[1]).toMatchObject({ evaluated: false });
  });

  it("names an attribute that is not changed", () => {
    expect(traceOf("IgnoreFlowIfNullOrEmpty([mail])")).toMatchObject({ value: null, ignored: true });
  });

  it("shows nothing that is redacted, wherever it is in the expression", () => {
    const redacted = JSON.stringify([
      traceOf('Append("no. ", Redact([employeeId]))', { employeeId: "E-4711" }),
      traceOf('IIF([employeeId] = "E-1", Redact([employeeId]), [employeeId])', { employeeId: "E-4711" }),
      traceOf("Mid(Redact([employeeId]), [employeeId], 2)", { employeeId: "E-4711x" }),
    ]);
    expect(redacted).not.toContain("4711");
    expect(redacted).toContain('"problem":"[Redact]"');
  });
});
