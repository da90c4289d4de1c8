import { MappingError } from "../../../domain/errors.ts";
import { compileRegex, fillReplacement, firstGroup, replaceGroup, replaceMatches } from "../dotnet-regex.ts";
import { refuseLong, toText } from "../value.ts";
import { type ExpressionFunction, text } from "./definition.ts";

const optional = { type: "text", optional: true } as const;

export const replaceFunctions: readonly ExpressionFunction[] = [
  {
    name: "Replace",
    parameters: [
      { name: "source", type: "text" },
      { name: "oldValue", ...optional },
      { name: "regexPattern", ...optional, check: (value) => void compileRegex(toText(value)) },
      { name: "regexGroupName", ...optional },
      { name: "replacementValue", ...optional },
      { name: "replacementAttributeName", ...optional },
      { name: "template", ...optional },
    ],
    summary:
      "Replaces text or the matches of a regular expression, inserts the source into a template, or takes a part of another attribute if the source is empty.",
    example: {
      expression: 'Replace([mobilePhone], , "[()\\s-]+", , "", , )',
      attributes: { mobilePhone: "+1 (999) 555-0100" },
      result: "+19995550100",
    },
    evaluate: (
      [source, oldValue, regexPattern, groupName, replacement, attribute, template],
      environment,
    ) => {
      const charge = environment.charge;
      const written = text(source);
      if (oldValue !== undefined && template !== undefined) {
        return replaceText(text(template), text(oldValue), written);
      }
      if (oldValue !== undefined) return replaceText(written, text(oldValue), text(replacement));
      if (regexPattern === undefined) {
        throw new MappingError("Replace needs an oldValue or a regexPattern");
      }
      const regex = compileRegex(text(regexPattern));
      if (groupName === undefined) {
        return replaceMatches(regex, written, (group) => fillReplacement(text(replacement), group), charge);
      }
      if (attribute !== undefined) {
        return written === "" ? firstGroup(regex, text(attribute), text(groupName), charge) : written;
      }
      return replaceGroup(regex, written, { name: text(groupName), replacement: text(replacement) }, charge);
    },
  },
];

function replaceText(whole: string, part: string, by: string): string {
  if (part === "") return whole;
  const pieces = whole.split(part);
  refuseLong(whole.length + (pieces.length - 1) * (by.length - part.length));
  return pieces.join(by);
}
