import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { isJsonObject, type Json } from "../../src/domain/json.ts";
import { parseJson } from "../../src/domain/parse-json.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";

// Conditions that hold at every instant, however a run ended.

/** Faults of the accounts themselves: two accounts of one person, two with one name. */
export function accountFaults({ lattice }: Sandbox): readonly string[] {
  const accounts = [...lattice.accounts()];
  return [
    ...repeated(accounts.flatMap(({ externalId }) => (typeof externalId === "string" ? [externalId] : []))),
    ...repeated(accounts.map(({ userName }) => String(userName).toLowerCase())),
  ].map((name) => `${name} is there twice`);
}

/**
 * The fault of a write as it reaches Lattice, judged by what the directory says at this time: an account for
 * a person who has one, or a person switched off who is present and enabled. (The scope is everybody.)
 */
export function writeFault(
  { directory, lattice }: Sandbox,
  { method, path, body }: { readonly method: string; readonly path: string; readonly body: string },
): string | undefined {
  if (method === "GET") return undefined;
  const sent = parseJson(body);
  if (method === "POST") {
    const id = isJsonObject(sent) ? String(sent.externalId) : "";
    return lattice.byExternalId(id) === undefined ? undefined : `a second account is asked for ${id}`;
  }
  if (!switchesOff(sent)) return undefined;
  const externalId = lattice.get(decodeURIComponent(path.split("/").at(-1) ?? ""))?.externalId;
  const person = typeof externalId === "string" ? directory.get(externalId) : undefined;
  if (person === undefined || person.softDeleted || person.properties.accountEnabled !== true)
    return undefined;
  return `${person.id} is deactivated though present and enabled`;
}

/** SQLite's findings in the database as the killed process left it; on a copy, so that the next process still has to repair it. */
export function integrityFindings(statePath: string): readonly string[] {
  if (!existsSync(statePath)) return [];
  const folder = mkdtempSync(join(tmpdir(), "als-integrity-"));
  try {
    const copy = join(folder, "copy.db");
    for (const part of ["", "-wal"]) {
      if (existsSync(`${statePath}${part}`)) copyFileSync(`${statePath}${part}`, `${copy}${part}`);
    }
    const db = new Database(copy);
    try {
      const lines = db.prepare<[], string>("PRAGMA integrity_check").pluck().all();
      return lines.filter((line) => line !== "ok");
    } finally {
      db.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A PATCH or PUT that sets `active` to false, in any form of RFC 7644. */
function switchesOff(sent: Json | undefined): boolean {
  if (Array.isArray(sent)) return sent.some(switchesOff);
  if (!isJsonObject(sent)) return false;
  if (sent.active === false) return true;
  if (sent.path === "active") return sent.value === false;
  return Object.values(sent).some(switchesOff);
}

function repeated(names: readonly string[]): readonly string[] {
  return names.filter((name, index) => names.indexOf(name) !== index);
}
