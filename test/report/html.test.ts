import { createHash } from "node:crypto";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { type DefaultTreeAdapterTypes, defaultTreeAdapter, parse } from "parse5";
import { describe, expect, it } from "vitest";
import type { CycleResult } from "../../src/cycle/course/request.ts";
import { RecordRejectedError } from "../../src/domain/errors.ts";
import { enterpriseUrn } from "../../src/mapping/rules/target-attributes.ts";
import { planView } from "../../src/report/plan-view.ts";
import { writeReport } from "../../src/report/write-report.ts";
import { createWorkplace, lenientGuard, type Workplace } from "../cycle/workplace.ts";

type Element = DefaultTreeAdapterTypes.Element;
type Node = DefaultTreeAdapterTypes.Node;

const department = `${enterpriseUrn}:department`;

async function page(place: Workplace, result: CycleResult, dryRun = false): Promise<string> {
  const stream = new PassThrough();
  const all = text(stream);
  const view = planView(place.store, result, { dryRun, department });
  await writeReport(view, { format: "html", stream, env: {} });
  stream.end();
  return all;
}

/** Every element of the page as a browser's parser sees it. */
function elementsOf(source: string): readonly Element[] {
  const found: Element[] = [];
  const visit = (node: Node): void => {
    if (defaultTreeAdapter.isElementNode(node)) found.push(node);
    if ("childNodes" in node) for (const child of node.childNodes) visit(child);
  };
  visit(parse(source));
  return found;
}

function attribute(element: Element | undefined, name: string): string | undefined {
  return element?.attrs.find((attr) => attr.name === name)?.value;
}

function textOf(node: Node): string {
  if (defaultTreeAdapter.isTextNode(node)) return node.value;
  return "childNodes" in node ? node.childNodes.map(textOf).join("") : "";
}

const named = (elements: readonly Element[], name: string) =>
  elements.filter(({ tagName }) => tagName === name);

/** The section under a heading, as text. */
function under(elements: readonly Element[], heading: string): string {
  const id = named(elements, "h2").find((h2) => textOf(h2) === heading);
  return id?.parentNode == null ? "" : textOf(id.parentNode);
}

describe("the page of a report", () => {
  it("shows every name, value, department and reason as text, never as markup", async () => {
    const hostile = [
      "<script>alert(1)</script>",
      "</title></style></script><img src=x onerror=alert(1)>",
      '"><a href="https://example.com">',
      "' onmouseover='alert(1)",
      "<!-- &lt;b&gt; ]]>",
      "\u202egnp.exe\u0000\u001b[2J",
    ];
    const pageOf = async (names: readonly string[]): Promise<string> => {
      await using place = await createWorkplace();
      for (const [index, name] of names.entries()) {
        place.source.hire(`p${index}`, { displayName: name, givenName: name, department: name });
      }
      place.source.hire("alone", { userPrincipalName: `${names[0]} is no user name` });
      place.target.before = ({ userName }) => {
        if (userName.startsWith("p1")) throw new RecordRejectedError(`no: ${names[1]}`, { status: 400 });
      };
      return await page(place, await place.cycle());
    };
    const shapes = (source: string): ReadonlySet<string> =>
      new Set(
        elementsOf(source).map(({ tagName, attrs }) => [tagName, ...attrs.map(({ name }) => name)].join(" ")),
      );
    const source = await pageOf(hostile);
    const elements = elementsOf(source);
    expect(shapes(source)).toEqual(shapes(await pageOf(hostile.map((_, index) => `Department ${index}`))));
    expect(named(elements, "script")).toHaveLength(1);
    for (const { attrs } of elements) {
      for (const { name } of attrs) expect(name).not.toMatch(/^on|^src|^href|^style$/);
    }
    const seen = textOf(parse(source));
    for (const name of hostile.slice(0, -1)) expect(seen).toContain(name);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
    expect(source).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  });

  it("requests nothing and allows no requests: its policy allows only its own style and script", async () => {
    await using place = await createWorkplace();
    place.source.hire("a", {});
    const elements = elementsOf(await page(place, await place.cycle()));
    const policy = named(elements, "meta").find(
      (meta) => attribute(meta, "http-equiv") === "Content-Security-Policy",
    );
    const hash = (name: string): string => {
      const content = textOf(named(elements, name)[0] ?? parse(""));
      return createHash("sha256").update(content).digest("base64");
    };
    expect(attribute(policy, "content")).toBe(
      `default-src 'none'; style-src 'sha256-${hash("style")}'; script-src 'sha256-${hash("script")}'; base-uri 'none'; form-action 'none'`,
    );
    expect(textOf(named(elements, "style")[0] ?? parse(""))).not.toMatch(/url\(|@import/);
    expect(textOf(named(elements, "script")[0] ?? parse(""))).not.toMatch(
      /fetch|XMLHttp|import|eval|innerHTML/,
    );
    for (const name of ["link", "img", "iframe", "form", "object", "base"]) {
      expect(named(elements, name), name).toEqual([]);
    }
  });

  it("shows the plan of a dry run: totals, departments, each value before and after, who is skipped, who is out of scope", async () => {
    await using place = await createWorkplace();
    place.source.hire("a", { jobTitle: "Analyst", department: "Sales" });
    await place.cycle();
    place.source.change("a", { jobTitle: "Chief" });
    place.source.hire("b", { department: "Legal" });
    place.source.hire("c", { userPrincipalName: "B@example.com" });
    const result = await place.cycle({ dryRun: true });
    const elements = elementsOf(await page(place, result, true));
    expect(textOf(named(elements, "h1")[0] ?? parse(""))).toMatch(/^Dry run .*nothing was written$/);
    expect(under(elements, "Accounts to change")).toMatch(/a@example\.com.*title.*Analyst.*Chief/s);
    expect(under(elements, "Skipped")).toMatch(/b@example\.com/i);
    const chart = named(elements, "svg").find((svg) => attribute(svg, "role") === "img");
    expect(textOf(chart ?? parse(""))).toContain("Sales: 1 update");
    expect(textOf(parse(await page(place, result, true)))).toContain(result.header.planId);
  });

  it("shows the result of a sync: what is held and why, what failed and with which error", async () => {
    await using place = await createWorkplace({
      guard: { ...lenientGuard, maxDeactivations: 0, deactivationFloor: 0 },
    });
    for (const id of ["a", "b"]) place.source.hire(id, {});
    await place.cycle();
    place.source.change("a", { accountEnabled: false });
    place.source.change("b", { jobTitle: "Chief" });
    place.target.before = () => {
      throw new RecordRejectedError("the title is too bold", { status: 400 });
    };
    const result = await place.cycle();
    expect(result.outcome).toBe("held");
    const elements = elementsOf(await page(place, result));
    expect(under(elements, "Held by the guard")).toMatch(/a@example\.com.*account disabled in Entra/s);
    expect(under(elements, "Failed")).toMatch(/b@example\.com.*the title is too bold/s);
    const verdict = elements.find((element) => attribute(element, "aria-label") === "Guard");
    expect(textOf(verdict ?? parse(""))).toContain(`release ${result.header.planId}`);
    for (const reason of result.header.guard.reasons) expect(textOf(verdict ?? parse(""))).toContain(reason);
    expect(under(elements, "Accounts to deactivate")).toBe("");
  });

  it("can be used with a screen reader: one main heading, labelled controls, tables with headers, unique ids", async () => {
    await using place = await createWorkplace();
    for (const id of ["a", "b"]) place.source.hire(id, { department: "Sales" });
    const elements = elementsOf(await page(place, await place.cycle()));
    expect(attribute(named(elements, "html")[0], "lang")).toBe("en");
    expect(named(elements, "h1")).toHaveLength(1);
    const labelled = named(elements, "label").map((label) => attribute(label, "for"));
    for (const input of named(elements, "input")) expect(labelled).toContain(attribute(input, "id"));
    for (const header of named(elements, "th")) expect(attribute(header, "scope")).toMatch(/^(col|row)$/);
    const ids = elements.flatMap((element) => attribute(element, "id") ?? []);
    expect(new Set(ids).size).toBe(ids.length);
    for (const element of elements) {
      const by = attribute(element, "aria-labelledby");
      if (by !== undefined) expect(ids).toContain(by);
    }
  });
});
