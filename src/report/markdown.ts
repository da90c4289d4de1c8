import { shortPath } from "../mapping/rules/target-attributes.ts";
import type { PlanView, Write } from "./view.ts";
import { changeText, driftText, headline, printable, sentText } from "./words.ts";

/** Writes a plan as Markdown, for a ticket or a pull request. */
export async function writeMarkdown(view: PlanView, write: Write): Promise<void> {
  const { header } = view;
  const { summary } = header;
  await write(`## ${headline(view)}\n\n`);
  await write(
    "| create | link | update | reactivate | deactivate | unchanged | skipped | out of scope or deleted |\n",
  );
  await write("|---:|---:|---:|---:|---:|---:|---:|---:|\n");
  await write(
    `| ${summary.create} | ${summary.link} | ${summary.update} | ${summary.reactivate} | ${summary.deactivate} | ${summary.unchanged} | ${summary.skipped} | ${summary.outOfScope ?? ""} |\n`,
  );
  const sent = sentText(view);
  if (sent !== null) await write(`\nSent: ${sent}.\n`);
  for (const sentence of header.notes) await write(`\n**Note:** ${asText(sentence)}\n`);
  if (header.guard.held) {
    await write(`\n**Held by the guard** (plan \`${header.planId}\`):\n\n`);
    for (const reason of header.guard.reasons) await write(`- ${asText(reason)}\n`);
  }
  const notes = header.guard.notes ?? [];
  if (notes.length > 0) await write("\nWhat this costs in Lattice:\n\n");
  for (const note of notes) await write(`- ${asText(note)}\n`);

  const { steps = [] } = view;
  if (steps.length > 0) await write("\n| person | step | outcome | |\n|---|---|---|---|\n");
  for (const { user, step, outcome, detail } of steps) {
    await write(`| ${asText(user)} | ${step} | ${outcome} | ${asText(detail)} |\n`);
  }

  let first = true;
  for await (const operation of view.operations()) {
    if (first) await write("\n| action | person | reason | changes |\n|---|---|---|---|\n");
    first = false;
    const changes = operation.changes.map(
      (change) => `${asText(shortPath(change.attribute))}: ${asText(changeText(change))}`,
    );
    const status =
      operation.status === "held" || operation.status === "failed" ? ` (${operation.status})` : "";
    await write(
      `| ${operation.action}${status} | ${asText(operation.userName)} | ${asText(operation.error ?? operation.reason)} | ${changes.join("<br>")} |\n`,
    );
  }

  first = true;
  for await (const operation of view.drift()) {
    if (first) {
      await write(
        "\n### Drift: changed by hand in Lattice\n\n| person | what was done | treatment |\n|---|---|---|\n",
      );
    }
    first = false;
    const treatment = operation.status === "reported" ? "reported" : "corrected";
    await write(`| ${asText(operation.userName)} | ${asText(driftText(operation))} | ${treatment} |\n`);
  }

  first = true;
  for await (const skipped of view.skipped()) {
    if (first) await write("\n### Skipped\n\n| person | reason |\n|---|---|\n");
    first = false;
    await write(`| ${asText(skipped.userName || skipped.objectId)} | ${asText(skipped.reason)} |\n`);
  }
}

/** An invisible character that breaks up text which a tracker would treat as a mention, a reference or an address. */
const part = "\u200b";

/**
 * Escapes a name, so that it is text in Markdown and HTML, never markup. It also cannot become a mention, a reference to a ticket
 * or a link, which a tracker would make from the rendered text.
 */
export function asText(text: string): string {
  return printable(text)
    .replaceAll(/(?<![\p{L}\p{N}])@(?=[\p{L}\p{N}])/gu, `@${part}`)
    .replaceAll(/([#!])(?=\d)/g, `$1${part}`)
    .replaceAll("://", `:${part}//`)
    .replaceAll(/\bwww\./gi, `www${part}.`)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll(/[\\`*_[\]|~#!$]/g, "\\$&");
}
