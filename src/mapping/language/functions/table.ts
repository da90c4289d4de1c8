import { dateFunctions } from "./dates.ts";
import type { ExpressionFunction, Parameter } from "./definition.ts";
import { groupFunctions } from "./groups.ts";
import { listFunctions } from "./lists.ts";
import { logicFunctions } from "./logic.ts";
import { numberFunctions } from "./numbers.ts";
import { replaceFunctions } from "./replace.ts";
import { textFunctions } from "./text.ts";

const roles =
  "Lattice documents no attribute for roles, and this program does not read application roles; use MemberOf or FirstMemberOf with groups";

/** Entra's functions that have no meaning here. They are known, so that a message can say why. */
const refusedFunctions: readonly ExpressionFunction[] = [
  refused("AppRoleAssignments", roles),
  refused("AppRoleAssignmentsComplex", roles),
  refused("AssertiveAppRoleAssignmentsComplex", roles),
  refused("SingleAppRoleAssignment", roles),
  refused("DefaultDomain", "this program does not read the tenant's default domain; write it as text"),
  refused(
    "SelectUniqueValue",
    "Entra offers it only for provisioning into Active Directory, and Lattice cannot be asked whether a value is unused",
  ),
];

/** Semantics: "Reference for writing expressions for attribute mappings in Microsoft Entra ID". */
export const expressionFunctions: ReadonlyMap<string, ExpressionFunction> = new Map(
  [
    ...textFunctions,
    ...logicFunctions,
    ...groupFunctions,
    ...listFunctions,
    ...numberFunctions,
    ...dateFunctions,
    ...replaceFunctions,
    ...refusedFunctions,
  ]
    // Not with localeCompare, which would load a collation.
    .sort((left, right) => (left.name.toLowerCase() < right.name.toLowerCase() ? -1 : 1))
    .map((entry) => [entry.name, entry]),
);

function refused(name: string, reason: string): ExpressionFunction {
  const parameters: readonly Parameter[] = [{ name: "value", type: "any", optional: true, repeats: true }];
  return {
    name,
    parameters,
    summary: `Not supported: ${reason}.`,
    example: { expression: `${name}()`, result: null },
    refused: reason,
    evaluate: () => null,
  };
}
