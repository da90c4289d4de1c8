/**
 * Who asked for something, as far as it is known. Other ways to sign in, and what somebody may do, are further kinds and
 * fields of it: whoever reads one must not conclude anything from a kind that it does not know.
 */
export type Actor =
  /** A user of a machine, as that machine calls both: `kim@host`. */
  | { readonly kind: "cli"; readonly name: string }
  /** Whoever has a token; the name is the token's, not a person's. */
  | { readonly kind: "token"; readonly name: string }
  /** A user whom a trusted reverse proxy has signed in. */
  | { readonly kind: "header"; readonly name: string }
  /** Somebody on the machine itself, where nothing is asked. */
  | { readonly kind: "local" };

/** As it is shown and given in JSON: `cli:kim@host`, `token:http.token`, `header:kim@example.com`, `local`. */
export function actorText(actor: Actor): string {
  return actor.kind === "local" ? actor.kind : `${actor.kind}:${actor.name}`;
}
