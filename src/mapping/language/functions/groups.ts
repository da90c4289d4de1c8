import { type ExpressionFunction, text } from "./definition.ts";

/** Functions of this program alone: Entra has none for the members of a group. */
export const groupFunctions: readonly ExpressionFunction[] = [
  {
    name: "MemberOf",
    parameters: [{ name: "group", type: "text", group: true }],
    summary:
      "Whether the person is a member of a group, which is given by its display name or object id. Not a function of Entra.",
    example: {
      expression: 'IIF(MemberOf("Interns"), "Intern", "Employee")',
      groups: ["Interns"],
      result: "Intern",
    },
    evaluate: ([group], environment) => environment.isMember?.(text(group)) === true,
  },
  {
    name: "FirstMemberOf",
    parameters: [{ name: "group", type: "text", group: true, repeats: true }],
    summary:
      "The first of these groups that the person is a member of, as it is written here; no value if there is none. Not a function of Entra.",
    example: {
      expression:
        'Switch(FirstMemberOf("Sales EMEA", "Sales US"), "Other", "Sales EMEA", "EMEA", "Sales US", "US")',
      groups: ["Sales US"],
      result: "US",
    },
    evaluate: (groups, environment) =>
      groups.map(text).find((group) => environment.isMember?.(group) === true) ?? null,
  },
];
