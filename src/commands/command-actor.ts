import { hostname, userInfo } from "node:os";
import type { Actor } from "../domain/actor.ts";

/** The user who typed the command, as the machine knows them; with `sudo`, the user who called it. */
export function commandActor(environment: Readonly<Record<string, string | undefined>>): Actor {
  const behind = process.getuid?.() === 0 ? (environment.SUDO_USER ?? "") : "";
  return { kind: "cli", name: `${behind === "" ? userName() : behind}@${hostname()}` };
}

/** The user's name, or the number if there is no name, as in a container. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? "unknown");
  }
}
