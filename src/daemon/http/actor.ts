import type { Actor } from "../../domain/actor.ts";
import type { Identity } from "./access.ts";

/** Who asks, as far as the way that a request was let in tells. A session was opened with the token. */
export function actorOf(identity: Identity | null): Actor {
  switch (identity?.kind) {
    case "bearer":
    case "session":
      return { kind: "token", name: "http.token" };
    case "proxy":
      return { kind: "header", name: identity.name };
    default:
      return { kind: "local" };
  }
}
