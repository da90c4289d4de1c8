import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MappingError, UsageError } from "../../../src/domain/errors.ts";
import { compileExpression } from "../../../src/mapping/language/evaluate.ts";
import {
  callsOf,
  type Expression,
  parseExpression,
  printExpression,
} from "../../../src/mapping/language/expression.ts";
import { expressionFunctions } from "../../../src/mapping/language/functions/table.ts";
import { ignoreFlow, toText, type Value } from "../../../src/mapping/language/value.ts";
import { fixedEnvironment } from "../environment.ts";

type Attributes = Readonly<Record<string, Value>>;

function evaluate(text: string, attributes: Attributes = {}, groups: readonly string[] = []): Value {
  return compileExpression(parseExpression(text), text)((name) => attributes[name] ?? null, {
    ...fixedEnvironment(),
    isMember: (group) => groups.includes(group),
  });
}

/** An expression that is refused for one person, when its attributes are known. */
function failure(text: string, attributes: Attributes = {}): string {
  try {
    evaluate(text, attributes);
  } catch (error) {
    if (error instanceof MappingError) return error.message;
    throw error;
  }
  return "nothing was refused";
}

describe("every function", () => {
  const usable = [...expressionFunctions.values()].filter(({ refused }) => refused === undefined);

  it.each(usable.map((entry) => [entry.name, entry] as const))(
    "%s gives what its example says",
    (_, entry) => {
      const { expression, attributes, groups, result } = entry.example;
      const value = evaluate(expression, attributes, groups);
      if (entry.varies === undefined) expect(toText(value)).toBe(result);
      expect(entry.summary).toMatch(/\.$/);
    },
  );

  it("of Entra's reference exists", () => {
    const documented =
      "Append AppRoleAssignmentsComplex BitAnd CBool CDate Coalesce ConvertToBase64 ConvertToUTF8Hex Count CStr DateAdd DateDiff DateFromNum FormatDateTime Guid IgnoreFlowIfNullOrEmpty IIF InStr IsNull IsNullOrEmpty IsPresent IsString Item Join Left Mid NormalizeDiacritics Not Now NumFromDate PCase RandomString Redact RemoveDuplicates Replace SelectUniqueValue SingleAppRoleAssignment Split StripSpaces Switch ToLower ToUpper Word";
    expect(documented.split(" ").filter((name) => !expressionFunctions.has(name))).toEqual([]);
  });

  it("that has no meaning here says why", () => {
    expect(() => evaluate("SelectUniqueValue([a], [b])")).toThrow(
      /SelectUniqueValue cannot be used: Entra offers it/,
    );
    expect(() => evaluate("SingleAppRoleAssignment([appRoleAssignments])")).toThrow(
      /does not read application roles/,
    );
  });
});

describe("the functions of groups", () => {
  it.each([
    ['MemberOf("A")', ["B"], "False"],
    ['FirstMemberOf("A", "B")', ["B", "A"], "A"],
    ['FirstMemberOf("A", "B")', [], ""],
    ['Coalesce(FirstMemberOf("A"), "none")', [], "none"],
  ])("%s of a member of %j is %s", (text, groups, result) => {
    expect(toText(evaluate(text, {}, groups))).toBe(result);
  });

  it.each(["MemberOf([department])", "MemberOf(1)", 'MemberOf("")', 'FirstMemberOf("A", Append("B", "C"))'])(
    "%s is refused: the groups to read are known before a person is",
    (text) => {
      expect(() => evaluate(text)).toThrow(
        /group of \w+ must be the display name or object id of a group, in quotation marks/,
      );
    },
  );
});

describe("the documented examples and their edges", () => {
  const names = { first: "PABLO GONSALVES (SECOND)", last: "PINTO-DE'SILVA" };
  const late = { from: "8/25/2021 5:41:18 PM", to: "2012-03-16-07:00" };
  const hire = { date: "2012-03-16-07:00" };

  const rows: readonly [string, Attributes, string | null][] = [
    ['Append([x], ".test")', {}, ".test"],
    ["Append([x], [list])", { x: "a-", list: ["b", "c"] }, "a-b,c"],
    ['Prepend("ext-", [x])', {}, "ext-"],
    ["ConvertToBase64([x])", {}, null],
    ['ConvertToBase64("é€")', {}, "6QCsIA=="],
    ["ConvertToUTF8Hex([x])", {}, null],
    ['ConvertToUTF8Hex("é€")', {}, "C3A9E282AC"],
    ["CStr([x])", {}, null],
    ["CStr([x])", { x: 12 }, "12"],
    ['CStr(CDate("2026-01-31"))', {}, "1/31/2026 12:00:00 AM"],
    ["IsNothing([x])", { x: "" }, "False"],
    ["IsNull([x])", {}, "True"],
    ["IsNull([x])", { x: "" }, "False"],
    ["IsNullOrEmpty([x])", {}, "True"],
    ["IsNullOrEmpty([x])", { x: [] }, "True"],
    ["IsNullOrEmpty([x])", { x: "0" }, "False"],
    ["IsPresent([x])", { x: "" }, "False"],
    ["IsPresent([x])", { x: false }, "True"],
    ["IsString([x])", {}, "False"],
    ["IsString([x])", { x: true }, "False"],
    ["Not([x])", {}, "True"],
    ['Not("False")', {}, "True"],
    ['Not("true")', {}, "False"],
    ['Join(", ", [x], "b")', {}, "b"],
    ["Item([x], 1)", { x: "alone" }, "alone"],
    ["Redact([x])", {}, null],
    ["RemoveDuplicates([x])", {}, ""],
    ['Split([x], ",")', {}, ""],
    ['Split("a,,b", ",")', {}, "a,b"],
    ["StripSpaces([x])", { x: " a\tb c " }, "a\tbc"],
    ["Trim([x])", {}, null],
    ["ToLower([x])", {}, null],
    ['ToUpper([x], "tr-TR")', { x: "ı i" }, "I İ"],
    ["PCase([x])", {}, null],
    ["NormalizeDiacritics([x])", {}, null],
    ["NumFromDate([x])", {}, null],
    ["DateFromNum([x])", {}, null],
    ['DateAdd("d", 1, [x])', {}, null],
    ['DateAdd("h", 25, CDate("2024-02-28"))', {}, "2/29/2024 1:00:00 AM"],
    ['DateDiff("d", [x], Now())', {}, null],
    ["IgnoreFlowIfNullOrEmpty([x])", { x: "v" }, "v"],
    ["Left([x], 9)", { x: "abc" }, "abc"],
    ["Mid([x], 2, 99)", { x: "abc" }, "bc"],
    ["Mid([x], 9, 2)", { x: "abc" }, ""],
    ['InStr([x], "a")', {}, "0"],
    ["BitAnd(&HF, &HF7)", {}, "7"],
    ["BitAnd([n], 1)", { n: "3" }, "1"],
    ["CBool([a] = [b])", { a: "x", b: "y" }, "False"],
    ["CBool([n])", { n: "0" }, "False"],
    ["CBool([n])", { n: 2 }, "True"],
    ['CBool("true")', {}, "True"],
    ['CDate("2020-03-16-07:00")', {}, "3/16/2020 7:00:00 AM"],
    ['CDate("2009-06-15T01:45:30-07:00")', {}, "6/15/2009 8:45:30 AM"],
    ['CDate("15 June 2009 13:45")', {}, "6/15/2009 1:45:00 PM"],
    ["CDate([x])", {}, null],
    ['Coalesce([a], "")', {}, ""],
    ["Coalesce([a], [b])", {}, null],
    ["Count([x])", {}, "0"],
    ['Count("one")', {}, "1"],
    ['DateAdd("d", 7, CDate([date]))', hire, "3/23/2012 7:00:00 AM"],
    ['DateAdd("d", -10, CDate([date]))', hire, "3/6/2012 7:00:00 AM"],
    ['DateAdd("ww", 2, CDate([date]))', hire, "3/30/2012 7:00:00 AM"],
    ['DateAdd("yyyy", 2, CDate([date]))', hire, "3/16/2014 7:00:00 AM"],
    ['DateAdd("m", 1, CDate("2024-01-31"))', {}, "2/29/2024 12:00:00 AM"],
    ['DateAdd("yyyy", 1, CDate("2024-02-29"))', {}, "2/28/2025 12:00:00 AM"],
    ['DateAdd("n", -1, CDate("2024-01-01"))', {}, "12/31/2023 11:59:00 PM"],
    ['DateDiff("d", CDate([from]), CDate([to]))', late, "-3449"],
    ['DateDiff("ww", CDate([from]), CDate([to]))', late, "-493"],
    ['DateDiff("m", CDate([from]), CDate([to]))', late, "-113"],
    ['DateDiff("yyyy", CDate([from]), CDate([to]))', late, "-9"],
    ['DateDiff("h", CDate("2021-08-24"), CDate("2021-08-25"))', {}, "24"],
    ['DateDiff("n", CDate("2021-08-24"), CDate("2021-08-25"))', {}, "1440"],
    ['DateDiff("s", CDate("2021-08-24"), CDate("2021-08-25"))', {}, "86400"],
    ['DateDiff("d", CDate("2021-08-31+08:00"), CDate("2021-08-31+08:00"))', {}, "0"],
    ['IIF(DateDiff("d", Now(), CDate([date])) > 5, "False", "True")', hire, "True"],
    ['IIF(DateDiff("d", Now(), CDate([date])) > 5, "False", "True")', { date: "2021-07-20" }, "False"],
    ["Now()", {}, "7/2/2021 3:33:38 PM"],
    ['FormatDateTime([x], , "yyyyMMddHHmmss.fZ", "yyyy-MM-dd")', { x: " 20150123105347.1Z " }, "2015-01-23"],
    [
      'FormatDateTime([x], , "M/d/yyyy hh:mm:ss tt", "yyyy-MM-dd HH:mm")',
      { x: "3/1/2020 01:02:03 PM" },
      "2020-03-01 13:02",
    ],
    [
      'FormatDateTime([x], , "yyyy-MM-dd", "dddd, d MMMM yy")',
      { x: "2024-02-29" },
      "Thursday, 29 February 24",
    ],
    [
      'FormatDateTime([x], , "yyyy-MM-ddzzz", "o")',
      { x: "2020-12-31-08:00" },
      "2020-12-31T08:00:00.0000000Z",
    ],
    ['FormatDateTime([x], , "yyyy-MM-dd", "yyyy-MM-dd")', {}, null],
    [
      'NumFromDate(Join("", FormatDateTime([x], ,"yyyy-MM-ddzzz", "yyyy-MM-dd"), " 23:59:59-08:00"))',
      { x: "2020-12-31-08:00" },
      "132539615990000000",
    ],
    ["DateFromNum([x])", { x: "132539615990000000" }, "1/1/2021 7:59:59 AM"],
    [
      'IIF([country]="USA",IIF([state]="CA","True","False"),"False")',
      { country: "USA", state: "CA" },
      "True",
    ],
    ['IIF([country]="","Other",[country])', {}, null],
    ['IIF(IsNullOrEmpty([country]),"Other",[country])', {}, "Other"],
    ['IIF([n] > 9, "many", "few")', { n: "10" }, "many"],
    // An error in a branch that is not taken does not matter.
    ['IIF([kind] = "date", CDate([x]), [x])', { kind: "text", x: "soon" }, "soon"],
    ['Switch([kind], [x], "date", CDate([x]))', { kind: "text", x: "soon" }, "soon"],
    ["Coalesce([x], CDate([x]))", { x: "soon" }, "soon"],
    ['InStr("The quick brown fox","quick")', {}, "5"],
    ['InStr("repEated","E",1,vbTextCompare)', {}, "2"],
    ['InStr("abc","x")', {}, "0"],
    ["Item([list], 3)", { list: ["a", "b"] }, null],
    ["Left([x], 0)", { x: "abc" }, ""],
    ["Left([x], 2)", {}, ""],
    ["Mid([x], 0, 2)", { x: "abc" }, "ab"],
    ["NormalizeDiacritics([x])", { x: "ÄäÖöÜüßÆæØøŁłÅåıİČğÞđ Жй" }, "AaOoUussAEaeOEoeLlAaiICgÞđ Жй"],
    ["PCase([first])", names, "Pablo Gonsalves (Second)"],
    ['PCase([last]," \'-")', names, "Pinto-De'Silva"],
    ["PCase([last])", names, "Pinto-De'silva"],
    [
      'Replace([t],"Product Developer", , , "Software Engineer", , )',
      { t: "Product Developer" },
      "Software Engineer",
    ],
    ['Replace([id],"<username>", , , , , "<username>@example.com")', { id: "jsmith" }, "jsmith@example.com"],
    [
      `Replace([t], , "\\\\+(?<isdCode>\\\\d* )(?<phoneNumber>\\\\d{10})", , "$\{phoneNumber}", , )`,
      { t: "+91 9998887777" },
      "9998887777",
    ],
    [
      'Replace([a], ,"(?<streetNumber>^\\\\d*)","streetNumber", "888", , )',
      { a: "545 Tremont Street" },
      "888 Tremont Street",
    ],
    ['Replace([u], , "(?<Suffix>@(.)*)", "Suffix", "", , )', { u: "jsmith@example.com" }, "jsmith"],
    [
      'Replace([t], , "\\\\+(?<isdCode>\\\\d* )(?<phoneNumber>\\\\d{10})", "phoneNumber" , , [mobile], )',
      { t: "", mobile: "+91 8887779999" },
      "8887779999",
    ],
    ['Replace([t], , "(?<n>x)", "n" , , [mobile], )', { t: "here", mobile: "x" }, "here"],
    ['Replace([m], , "[a-zA-Z_]*", , "", , )', { m: "john_doe72" }, "72"],
    ['Replace([m], "a", , , "$&", , )', { m: "banana" }, "b$&n$&n$&"],
    ['Replace([m], , "(\\\\w+) (?<last>\\\\w+)", , "$2, $1", , )', { m: "Zoë Ørsted" }, "Ørsted, Zoë"],
    [
      'Replace([m], , "na", , "[$`|$\'|$_|$+]", , )',
      { m: "banana!" },
      "ba[ba|na!|banana!|na][bana|!|banana!|na]!",
    ],
    ['Replace([m], , "(b)(?<last>a)", , "$+", , )', { m: "banana" }, "anana"],
    ['Replace([m], , "\\\\b(\\\\w)", , "<$1>", , )', { m: "two words" }, "<t>wo <w>ords"],
    [
      'Join("", 1000, Replace(ConvertToUTF8Hex([objectId]), , "[a-zA-Z_]*", , "", , ))',
      { objectId: "ab-1" },
      "10006162231",
    ],
    ['Split([x], ",")', { x: "PermissionSetOne, PermissionSetTwo" }, "PermissionSetOne,PermissionSetTwo"],
    ["RemoveDuplicates([x])", { x: ["b", "a", "b"] }, "b,a"],
    ['Switch([country],[country],"","Other")', {}, "Other"],
    ['Switch([country],[country],"","Other")', { country: "DE" }, "DE"],
    ['Switch(IsPresent([jobTitle]), "DefaultValue", "True", [jobTitle])', { jobTitle: "Lead" }, "Lead"],
    ['Switch(ToLower([statusFlag]), "0", "true", "1", "false", "0")', { statusFlag: "TRUE" }, "1"],
    ['Word("The quick brown fox",3," ")', {}, "brown"],
    ['Word([x],1," ")', {}, ""],
    ['Word("one",2," ")', {}, ""],
    ['Word("one",0," ")', {}, ""],
  ];

  it.each(rows)("%s of %j is %j", (text, attributes, result) => {
    const value = evaluate(text, attributes);
    expect(value === null ? null : toText(value)).toBe(result);
  });

  it("are there for every function", () => {
    // Random values and groups have tests of their own.
    const others = new Set(["Guid", "RandomString", "MemberOf", "FirstMemberOf"]);
    const called = new Set(rows.flatMap(([text]) => callsOf(parseExpression(text))));
    const usable = [...expressionFunctions.values()].filter(({ refused }) => refused === undefined);
    expect(usable.map(({ name }) => name).filter((name) => !called.has(name) && !others.has(name))).toEqual(
      [],
    );
  });

  it("makes identifiers and random texts as requested, from the given random source", () => {
    expect(evaluate("Guid()")).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(evaluate("Guid()")).toBe(evaluate("Guid()"));
    expect(evaluate("RandomString(6,3,0,0,3)")).toMatch(/^(?=(?:.*\d){3})(?=(?:.*[a-z]){3})[A-Za-z\d]{6}$/);
    const picky = toText(evaluate('RandomString(10,2,2,2,1,"?,")'));
    expect(picky).toHaveLength(10);
    expect(picky).not.toMatch(/[?,]/);
    expect(picky.replaceAll(/[A-Za-z\d]/g, "").length).toBeGreaterThanOrEqual(2);
  });

  it("keeps an attribute's value if the expression asks for that", () => {
    expect(evaluate("IgnoreFlowIfNullOrEmpty([x])")).toBe(ignoreFlow);
    expect(evaluate('IgnoreFlowIfNullOrEmpty(Switch([x], "", "1", "Dr."))', { x: "2" })).toBe(ignoreFlow);
    expect(evaluate("IgnoreFlowIfNullOrEmpty([x])", { x: "v" })).toBe("v");
  });
});

describe("a value of the wrong type", () => {
  it.each<[string, Attributes, RegExp]>([
    ["CDate([x])", { x: "soon" }, /expression of CDate must be a date such as .*"soon"/],
    [
      'FormatDateTime([x], , "yyyy-MM-dd", "yyyy")',
      { x: "2024-02-30" },
      /source of FormatDateTime must be a date in the format "yyyy-MM-dd"/,
    ],
    ["Left([x], [n])", { x: "abc", n: "two" }, /numberOfCharacters of Left must be a number, but is "two"/],
    ["Mid([x], [n], 1)", { x: "abc" }, /start of Mid must be a number, but is empty/],
    ['Replace([x], , [p], , "", , )', { x: "abc", p: "(" }, /regular expression "\(" cannot be used/],
    [
      'Replace([x], , "\\\\bR", , "r", , )',
      { x: "ØR" },
      /\\b and \\B in a regular expression work only on text of ASCII characters/,
    ],
    ["RandomString([n], 0, 0, 0, 0)", { n: 257 }, /from 0 to 256/],
    ['DateAdd("yyyy", [n], CDate("2024-01-01"))', { n: 9000 }, /outside the years/],
  ])("%s of %j is refused for this person", (text, attributes, message) => {
    expect(failure(text, attributes)).toMatch(message);
  });

  it.each<[string, RegExp]>([
    ['Left([x], "two")', /column 11: numberOfCharacters of Left must be a number, but is "two"\n.*\n\s+\^/],
    ["Item([x], 0)", /column 11: index of Item counts from 1/],
    ['DateAdd("days", 1, Now())', /column 9: interval must be one of yyyy, m, d, ww, h, n, s/],
    ['FormatDateTime([x], , "q", "yyyy")', /"q" is not a \.NET date format/],
    ['FormatDateTime([x], "Loose", "yyyy", "yyyy")', /not one of \.NET's DateTimeStyles/],
    ['InStr([x], "a", 1, "vbLoose")', /vbTextCompare or vbBinaryCompare/],
    ['Replace([x], , "(?=a)", , "", , )', /column 16: .*looking ahead or behind could take forever/],
    ['Replace([x], , "(a)\\\\1", , "", , )', /references back to a group/],
    [`Replace([x], , "${"a".repeat(501)}", , "", , )`, /has 501 characters; at most 500/],
    ['Replace([x], , "a{1,900}b{2,701}", , "", , )', /too large with its repetitions written out/],
    [`FormatDateTime([x], , "${"d.".repeat(101)}", "yyyy")`, /at most 200 characters, but this one has 202/],
    ["Mid([x], , 1)", /start of Mid is missing: Mid\(source, start, length\)/],
    [
      "Append([x] = [y], [z])",
      /source of Append is not a condition; comparisons are allowed only in IIF and CBool/,
    ],
  ])("%s is refused when the configuration is read", (text, message) => {
    expect(() => evaluate(text)).toThrow(UsageError);
    expect(() => evaluate(text)).toThrow(message);
  });
});

describe("an expression as text", () => {
  const constant = fc.oneof(
    fc.string({ unit: "binary", maxLength: 12 }),
    fc.integer(),
    fc.boolean(),
    fc.constantFrom('"', "\\", '\\"', "[x]", "True", "&HF"),
  );
  const tree = fc.letrec<{ value: Expression; argument: Expression }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      constant.map((value): Expression => ({ kind: "constant", value, offset: 0 })),
      fc
        .constantFrom("mail", "extensionAttribute1", "a b")
        .map((name): Expression => ({ kind: "attribute", name, offset: 0 })),
      fc
        .tuple(fc.constantFrom(...expressionFunctions.keys()), fc.array(tie("argument"), { maxLength: 4 }))
        // Nothing between the parentheses means no argument, not an omitted one.
        .map(
          ([name, parts]): Expression => ({
            kind: "call",
            name,
            arguments: parts.length === 1 && parts[0]?.kind === "omitted" ? [] : parts,
            offset: 0,
          }),
        ),
    ),
    argument: fc.oneof(
      tie("value"),
      fc.constant<Expression>({ kind: "omitted", offset: 0 }),
      fc
        .tuple(fc.constantFrom("=", "<>", "<", "<=", ">", ">="), tie("value"), tie("value"))
        .map(
          ([operator, left, right]): Expression => ({ kind: "condition", operator, left, right, offset: 0 }),
        ),
    ),
  })).value;

  const withoutOffsets = (node: Expression): unknown =>
    JSON.parse(JSON.stringify(node, (key, value: unknown) => (key === "offset" ? undefined : value)));

  it("parses to the tree that it was printed from", () => {
    fc.assert(
      fc.property(tree, (written) => {
        expect(withoutOffsets(parseExpression(printExpression(written)))).toEqual(withoutOffsets(written));
      }),
      { seed: 20_261_124, numRuns: 1_000 },
    );
  });
});
