/**
 * The person or program that asked for something, as far as it is known. Other ways to sign in, or permissions, will be further kinds and fields:
 * code that reads an actor must conclude nothing from a kind that it does not know.
 */
export type Actor =
  /** A user of a machine, as that machine calls both: `kim@host`. */
  | { readonly kind: "cli"; readonly name: string }
  /** A client with a token; the name is the token's, not a person's. */
  | { readonly kind: "token"; readonly name: string }
  /** A user whom a trusted reverse proxy has signed in. */
  | { readonly kind: "header"; readonly name: string }
  /** A person on the machine itself, if no credential is required there. */
  | { readonly kind: "local" };

/** The form for people and JSON: `cli:kim@host`, `token:http.token`, `header:kim@example.com`, `local`. */
export function actorText(actor: Actor): string {
  return actor.kind === "local" ? actor.kind : `${actor.kind}:${actor.name}`;
}
