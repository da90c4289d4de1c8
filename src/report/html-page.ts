import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot, packageVersion } from "../process/package-root.ts";
import { html, Markup } from "./markup.ts";

/** The name of a page: its title and heading, and the facts below the heading. */
export interface PageHead {
  readonly title: string;
  readonly facts?: Markup;
  /** The only script of the page. */
  readonly script?: string;
}

/**
 * The beginning of a report as one HTML file, up to its content. The page sends no request, and a policy in it forbids any, and
 * every script but its own.
 */
export function pageStart({ title, facts, script }: PageHead): Markup {
  const style = pageFile("report.css");
  const scripts = script === undefined ? "" : ` script-src ${digest(script)};`;
  const policy = `default-src 'none'; style-src ${digest(style)};${scripts} base-uri 'none'; form-action 'none'`;
  return html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>${title}</title>
<style>${new Markup(style)}</style>
</head>
<body>
<header>
<h1>${title}</h1>
${facts ?? ""}</header>
<main>
`;
}

/** The end of a report, behind its content. */
export function pageEnd({ script }: Pick<PageHead, "script"> = {}): Markup {
  return html`</main>
<footer><p class="quiet">azure-lattice-sync ${packageVersion()}. This page contains personal data: share it only with people who may see it.</p></footer>
${
  script === undefined
    ? ""
    : html`<script>${new Markup(script)}</script>
`
}</body>
</html>
`;
}

/** A part of the page from a file. Its content is ours and is inserted unchanged. */
export function pageFile(name: string): string {
  return readFileSync(join(packageRoot, "src/report/page", name), "utf8");
}

function digest(content: string): string {
  return `'sha256-${createHash("sha256").update(content).digest("base64")}'`;
}
