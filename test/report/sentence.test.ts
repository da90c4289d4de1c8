import { expect, it } from "vitest";
import { count, sentence, sentences, timeText } from "../../src/domain/sentence.ts";

it("counts one thing in the singular, and everything else in the plural", () => {
  expect([0, 1, 2, 1_200].map((number) => count(number, "person", "people"))).toEqual([
    "0 people",
    "1 person",
    "2 people",
    "1,200 people",
  ]);
  expect(count(1, "attempt")).toBe("1 attempt");
});

it.each([
  ["Title must be at most 40 characters", "Title must be at most 40 characters."],
  ["Title must be at most 40 characters.", "Title must be at most 40 characters."],
  ["Title must be at most 40 characters..", "Title must be at most 40 characters."],
  ['Lattice says: "No."', 'Lattice says: "No."'],
  ['did you mean "mail"?', 'did you mean "mail"?'],
  ["and so on …", "and so on …"],
  ["ends in a blank ", "ends in a blank."],
])("makes a whole sentence of %j", (text, whole) => {
  expect(sentence(text)).toBe(whole);
});

it("ends each line of a message with a stop, except indented lines and the line before them", () => {
  expect(sentences("one is wrong\ncolumn 9: expected )\n    Join(\n        ^\ntwo")).toBe(
    "One is wrong.\nColumn 9: expected )\n    Join(\n        ^\ntwo.",
  );
});

it("begins a message with a capital, except with a key, a file or a name", () => {
  const message =
    "others can connect\nentra.tenantId is missing\nals.yaml:3:1: unknown key\nonNull must be keep";
  expect(sentences(message)).toBe(
    "Others can connect.\nentra.tenantId is missing.\nals.yaml:3:1: unknown key.\nonNull must be keep.",
  );
});

it("writes a time to the minute, also if it is very late", () => {
  expect(timeText("2026-11-27T22:52:02.515Z")).toBe("2026-11-27 22:52 UTC");
  expect(timeText(Date.UTC(2026, 0, 5))).toBe("2026-01-05 00:00 UTC");
});
