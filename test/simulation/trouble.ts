import {
  RecordForbiddenError,
  RecordRejectedError,
  RecordUnavailableError,
  UnknownOutcomeError,
} from "../../src/domain/errors.ts";
import type { Trouble } from "./history.ts";
import type { Account, World } from "./world.ts";

/** The purpose of a request about one record. */
export type RecordRequest = "get" | "find" | "update" | "create";

/** @throws the fault that the first failing person has for this request */
export function meetTrouble(world: World, request: RecordRequest, people: readonly (string | null)[]): void {
  for (const id of people) {
    const trouble = id === null ? undefined : world.troubles.get(id);
    if (trouble === undefined || isLie(trouble)) continue;
    const reads = request === "get" || request === "find";
    if (trouble.on === (reads ? "writes" : "reads")) continue;
    throw errorOf(trouble.answer, request);
  }
}

function errorOf(answer: Trouble["answer"], request: RecordRequest): Error {
  switch (answer) {
    case "forbidden":
      return new RecordForbiddenError("this account is protected", { status: 403 });
    case "unavailable":
      return new RecordUnavailableError("500 again and again");
    case "webPage":
      return new RecordUnavailableError("a web page with the status 404");
    case "lost":
      return request === "create"
        ? new UnknownOutcomeError("no answer came")
        : new RecordUnavailableError("no answer came");
    default:
      return new RecordRejectedError("not this one", { status: 400 });
  }
}

/** The people whose record a look-up by this value is about. */
export function soughtBy(
  world: World,
  attribute: "userName" | "externalId",
  value: string,
): readonly string[] {
  if (attribute === "externalId") {
    const sought = [...world.people.values()].filter(({ externalId }) => externalId === value);
    return sought.map(({ id }) => id);
  }
  const wanted = value.toLowerCase();
  return [
    ...[...world.people.values()]
      .filter((person) => person.userName.toLowerCase() === wanted)
      .map(({ id }) => id),
    ...[...world.accounts.values()].flatMap((account) =>
      account.userName.toLowerCase() === wanted ? (world.ownerOf(account) ?? []) : [],
    ),
  ];
}

/** A 404 of an account is believed after this many hours. */
export const hoursOfAbsence = 6;

function isLie({ answer }: Trouble): boolean {
  return answer === "gone" || answer === "hidden";
}

/** Whether a request about an existing account is answered with 404. */
export function isDenied(world: World, account: Account, request: "get" | "update"): boolean {
  const trouble = world.troubles.get(world.ownerOf(account) ?? "");
  if (trouble === undefined || !isLie(trouble)) return false;
  return trouble.answer === "hidden" || trouble.on !== (request === "get" ? "writes" : "reads");
}

/** Whether no list and no search shows an existing account. */
export function isHidden(world: World, account: Account): boolean {
  return world.troubles.get(world.ownerOf(account) ?? "")?.answer === "hidden";
}
