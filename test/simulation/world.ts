import type { JsonObject } from "../../src/domain/json.ts";
import type { Configuration } from "./configuration.ts";
import type { Groups } from "./groups.ts";
import type { OtherTool, Trouble } from "./history.ts";
import type { Guarded, HidableProperty, Manners } from "./manners.ts";

/** One person as the simulated directory has it. */
export interface Person {
  readonly id: string;
  /** What the mapping makes the externalId of; the id, unless the family says otherwise. */
  readonly externalId: string;
  readonly userName: string;
  readonly title: string | null;
  /** `null` only in what the engine can know: no answer has shown it. */
  readonly enabled: boolean | null;
  readonly managerId: string | null;
  readonly presence: "present" | "softDeleted" | "deleted";
  readonly member: boolean;
  /** First day, milliseconds since the epoch; counts where the scope asks for it. `null` like `enabled`. */
  readonly startsAt: number | null;
}

/** One account as the simulated Lattice has it. */
export interface Account {
  readonly id: string;
  readonly userName: string;
  readonly externalId: string | null;
  readonly active: boolean;
  readonly values: JsonObject;
  /** Was there before, made by nobody of this program. */
  readonly stranger: boolean;
}

/** What the directory has shown of a person, value by value. */
export type Shown = Partial<Pick<Person, "userName" | "title" | "enabled" | "managerId" | "startsAt">>;

/** One change in the directory: a round of changes shows what it touched. */
export interface LoggedChange {
  readonly id: string;
  readonly before: Person | undefined;
  readonly touched: ReadonlySet<keyof Person>;
  /** Not there before, or back from the bin. */
  readonly appeared: "hired" | "restored" | null;
}

export type Refusal = "twin" | "badManager" | "refused" | "noSeat";

/** A title that Lattice takes from nobody. */
export const refusedTitle = "Refused";

/** A write that Lattice carried out. */
export interface Applied {
  readonly before: Account | null;
  readonly after: Account;
}

/** Both ends, and the rules that nothing may break. */
export interface World {
  readonly people: Map<string, Person>;
  /** Changes in their order: positions are the watermarks. */
  readonly log: LoggedChange[];
  readonly accounts: Map<string, Account>;
  /**
   * For whom each account was made, to whom it was given, or by whom it was adopted, by its id; also of accounts that are
   * gone. Told by what happens at both ends, never by the links of the engine.
   */
  readonly owners: Map<string, string>;
  /** Others who may have an account by now, by its id. Nobody, unless people can share an externalId. */
  readonly heirs: Map<string, Set<string>>;
  /** Accounts that were made, and that the engine may not have been told of: only the externalId says whose they are. */
  readonly unconfirmed: Set<string>;
  /** Accounts that the cycle under way has written, and for whom it may have been. */
  readonly writtenFor: Map<string, ReadonlySet<string>>;
  /** The externalId that the engine knows of an account: shown in a cycle that came to its end, or listed in this one. */
  readonly carried: Map<string, string | null>;
  /** What the cycle under way was shown beside lists: it may have planned before. */
  readonly carriedLater: Map<string, string | null>;
  /** The one person whom the cycle under way reads; `null`: it reads everybody. */
  onDemand: string | null;
  /** People who have left, of whom nobody can tell which one has the account: either is right as long as nobody comes back. */
  readonly unsettled: Set<string>;
  /** People who came during the cycle under way, which may not have read them. */
  readonly newcomers: Set<string>;
  /** The scope could not be read in the cycle under way: who has come into it since is not known. */
  scopeUnread: boolean;
  /** Nothing befalls the cycle under way. */
  calm: boolean;
  manners: Manners;
  configuration: Configuration;
  /** People who are to get one another's userNames are renamed, not reported. */
  readonly breaksRings: boolean;
  /** Lists left people out at any time, so that the engine may not know everybody. */
  readonly listsMissed: boolean;
  /** People who are one another's managers get them all the same. */
  readonly sendsManagerRings: boolean;
  /** People to whose accounts a manager was refused, whatever the reason. */
  readonly refusedWithManager: Set<string>;
  /** Whose record meets what. */
  readonly troubles: Map<string, Trouble>;
  /** Who was in trouble at any time. */
  readonly everInTrouble: Set<string>;
  /** Room for active accounts; `null` for any number. */
  seats: number | null;
  otherTool: OtherTool | null;
  /** Another company's accounts, by id, while the address answers with those. */
  elsewhere: { readonly accounts: Map<string, Account>; readonly key: "new" | "same" } | null;
  /** When an account was first answered with 404 since a cycle that came to its end has seen it, by its id. */
  readonly deniedSince: Map<string, number>;
  /** Accounts that were shown to the cycle under way as they had been before. */
  readonly misread: Set<string>;
  /** Accounts that the cycle under way, or the last one if it came to its end, was shown. */
  readonly shownAccounts: Set<string>;
  /** When one of those was answered with 404 after that. */
  readonly deniedAgain: Map<string, number>;
  /** When the cycle under way, or the last one, began. */
  cycleAt: number;
  /** When the cycles that the log was seen to have began, by id. */
  readonly cycles: Map<number, number>;
  /** Those that came to their end. */
  readonly ended: Set<number>;
  /** Milliseconds since the epoch. */
  now: number;
  /** How far the clock of our machine is ahead, milliseconds; both ends tell the true time. */
  skewMs: number;
  /** The directory has answered in the cycle under way. */
  answered: boolean;
  /** Watermarks below are refused. */
  oldestWatermark: number;
  /** What was broken so far; a history stops at the first. */
  readonly broken: string[];
  /** What the guard counts and nobody released, as Lattice carried it out. */
  readonly carriedOut: { readonly what: Guarded; readonly at: number; readonly objectId: string }[];
  /** What was released, as `releaseKey` names it. */
  readonly released: Set<string>;
  /** Somebody was edited while a cycle was reading. */
  editedMeanwhile: boolean;
  /** What the directory last showed of a person. */
  readonly shown: Map<string, Person>;
  /** Properties that no answer shows now, and of whom. */
  hidden: readonly { readonly property: HidableProperty; readonly of: string | "everybody" }[];
  /** What was shown of a person at any time, where answers may lack properties. */
  readonly known: Map<string, Shown>;
  /** Members of the groups that make up the scope, where there are several. */
  readonly groups: Groups;
  /** What the cycle under way has written. */
  readonly applied: Applied[];
  /** Each state that an account was in, by its id, since the log was last compared with them. */
  readonly versions: Map<string, Account[]>;
  /** The person whose account it is; `null` where it is nobody's. */
  ownerOf(account: Pick<Account, "id">): string | null;
  /** The people to whom this externalId leads; who has, or had, the userName as well comes first. */
  peopleOf(externalId: string | null, userName: string): readonly string[];
  /** What the cycle under way may have read of a person. */
  statesOf(id: string): readonly Person[];
  /** The person as the engine can know them: where answers may lack properties, with what was shown. */
  asKnown(person: Person): Person;
  /** Whether a delay, if there is one, is over. */
  isDue(person: Person): boolean;
  put(person: Person): void;
  /** The cycle that begins now reads everything anew. */
  beginCycle(): void;
  create(account: Omit<Account, "id" | "stranger">): Account | Refusal;
  change(id: string, next: Account): Account | Refusal;
}
