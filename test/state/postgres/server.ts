import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const pollMs = 20;
const longestStartMs = 60_000;

/**
 * A real PostgreSQL server, which ends with the process `pid`: the one of DATABASE_URL, or one that is started when it is first asked for.
 * Processes that name the same folder share it.
 * @param folder must not be there yet, or be of a server that was asked for
 * @param kind durable: it waits for the disk as a server does that is not for tests
 * @returns its URL
 */
export async function serverIn(
  folder: string,
  pid: number,
  kind: "durable" | "fast" = "fast",
): Promise<string> {
  const own = process.env.DATABASE_URL;
  if (own !== undefined && own !== "") return own;
  if (isNew(folder)) {
    const keeper = spawn(
      process.execPath,
      [join(import.meta.dirname, "keeper.ts"), folder, String(pid), kind],
      {
        detached: true,
        stdio: "ignore",
      },
    );
    keeper.unref();
  }
  for (let waitedMs = 0; waitedMs < longestStartMs; waitedMs += pollMs) {
    for (const [file, failed] of [
      ["url", false],
      ["fault", true],
    ] as const) {
      const path = join(folder, file);
      if (!existsSync(path)) continue;
      const said = readFileSync(path, "utf8");
      if (failed) throw new Error(said);
      return said;
    }
    await sleep(pollMs);
  }
  throw new Error(`no PostgreSQL server started in ${folder} within a minute`);
}

function isNew(folder: string): boolean {
  try {
    mkdirSync(folder, { mode: 0o755 });
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}
