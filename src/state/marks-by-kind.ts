import type { Mark } from "../domain/state/mark.ts";

/** Marks by their kind. */
export type MarksByKind = {
  readonly [Who in Mark["who"]]: readonly Extract<Mark, { readonly who: Who }>[];
};

/**
 * Groups marks for the writers of the stores. A writer takes out every kind and gives the rest to `noOther`, so that one that forgets a
 * kind does not compile: its people would never be planned.
 */
export function marksByKind(marks: readonly Mark[]): MarksByKind {
  const of = <Who extends Mark["who"]>(who: Who): MarksByKind[Who] =>
    marks.filter(
      (mark): mark is Extract<Mark, { readonly who: Who }> => mark.who === who,
    ) as MarksByKind[Who];
  return {
    person: of("person"),
    reports: of("reports"),
    sharers: of("sharers"),
    lostOwners: of("lostOwners"),
    sharersWith: of("sharersWith"),
    bearer: of("bearer"),
    bearerOfNameOf: of("bearerOfNameOf"),
  };
}

/** Compiles only if nothing is left. */
export function noOther(_rest: { readonly [kind: string]: never }): void {}
