import type { Actor } from "../../domain/actor.ts";
import type { Identity } from "./access.ts";

/** The actor of a request, as far as its credential shows. A session was opened with the token. */
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
