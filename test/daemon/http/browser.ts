import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { expect } from "vitest";

const executablePath = "/usr/bin/chromium";

/** Whether there is a browser to test in. On CI there must be one. @throws Error if it is missing there */
export function hasBrowser(): boolean {
  if (existsSync(executablePath)) return true;
  if (process.env.CI === "true") {
    throw new Error(`${executablePath} is missing: install the distribution's package "chromium"`);
  }
  process.stderr.write(`The tests of the dashboard are left out: there is no ${executablePath}.\n`);
  return false;
}

/** @param names that resolve to this machine in this browser, besides those that always do */
export function startBrowser(names: readonly string[] = []): Promise<Browser> {
  const rules = names.map((name) => `MAP ${name} 127.0.0.1`).join(",");
  // Its own sandbox needs rights that a container does not give; the pages are ours.
  const args = ["--no-sandbox", `--host-resolver-rules=${rules}`];
  // New versions of this browser keep such names from this machine; older ones and others do not.
  if (names.length > 0)
    args.push("--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests");
  return chromium.launch({ executablePath, args });
}

/** A page that fails the test if the browser reports anything: a script error, a breach of the policy. */
export async function openPage(
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<{ page: Page; complaints: readonly string[] }> {
  const context = await browser.newContext(options);
  // For what never comes, and not for what is slow on a busy machine.
  context.setDefaultTimeout(100_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  return { page, complaints };
}

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string;
    readonly nodes: readonly { readonly html: string }[];
  }[];
}

/**
 * Serious and critical findings of axe, as text; of all rules unless some are named. It runs from outside the page, whose
 * policy forbids such a script and stays in force.
 */
export async function seriousFindings(page: Page, rules?: readonly string[]): Promise<readonly string[]> {
  const options = JSON.stringify({
    // Passed rules are not described, because that takes most of the time.
    resultTypes: ["violations"],
    preload: false,
    ...(rules === undefined ? {} : { runOnly: rules }),
  });
  await page.evaluate(`if (typeof axe === "undefined") { ${axe} }`);
  const result = (await page.evaluate(`axe.run(${options})`)) as AxeResult;
  return result.violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(" | ")}`);
}

/** Nothing reaches beyond the side of the window. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  expect(await page.evaluate("document.documentElement.scrollWidth - window.innerWidth")).toBeLessThanOrEqual(
    0,
  );
}
