import { hostname, userInfo } from "node:os";
import type { Actor } from "../domain/actor.ts";

/** Who has typed the command, as the machine says: behind `sudo` the user who called it. */
export function commandActor(environment: Readonly<Record<string, string | undefined>>): Actor {
  const behind = process.getuid?.() === 0 ? (environment.SUDO_USER ?? "") : "";
  return { kind: "cli", name: `${behind === "" ? userName() : behind}@${hostname()}` };
}

/** A container's user may have no name: then it is the number. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? "unknown");
  }
}
