import type { Json, JsonObject } from "../../src/domain/json.ts";
import type { managerPath } from "../../src/mapping/rules/target-attributes.ts";
import type { Configuration } from "./configuration.ts";
import type { Groups } from "./groups.ts";
import type { OtherTool, Trouble, Worker } from "./history.ts";
import type { Guarded, HidableProperty, Manners } from "./manners.ts";

/** One person in the simulated directory. */
export interface Person {
  readonly id: string;
  /** The source of the externalId; the id, unless the family says otherwise. */
  readonly externalId: string;
  readonly userName: string;
  readonly title: string | null;
  /** `null` only in the engine's knowledge: no answer has shown it. */
  readonly enabled: boolean | null;
  readonly managerId: string | null;
  readonly presence: "present" | "softDeleted" | "deleted";
  readonly member: boolean;
  /** First day, milliseconds since the epoch; it matters if the scope requires it. `null` like `enabled`. */
  readonly startsAt: number | null;
}

/** One account in the simulated Lattice. */
export interface Account {
  readonly id: string;
  readonly userName: string;
  readonly externalId: string | null;
  readonly active: boolean;
  readonly values: JsonObject;
  /** The account existed before; this program did not make it. */
  readonly stranger: boolean;
}

/** The accounts before and after a cycle, by id. */
export interface Past {
  readonly before: ReadonlyMap<string, Account>;
  readonly after: ReadonlyMap<string, Account>;
  /** Nothing happened to the cycle. */
  readonly calm: boolean;
}

/** The revert under way. */
export interface Reverting extends Past {
  /** Accounts that the cycle has made are switched off. */
  readonly created: boolean;
  /** Values before the cycle as its log has them, by account and attribute; the engine may not have known a manual change. */
  readonly logged: ReadonlyMap<string, Json>;
}

/** A value that was taken back while the directory still wanted the one that was sent. */
export interface TakenBack {
  readonly owner: string;
  readonly account: string;
  readonly attribute: RevertedAttribute;
  readonly value: Json;
}

/** The attributes of an account that a revert may change. The others, such as the externalId, are never taken back. */
export type RevertedAttribute = "userName" | "active" | "title" | typeof managerPath;

/** Each value that the directory has shown about a person. */
export type Shown = Partial<Pick<Person, "userName" | "title" | "enabled" | "managerId" | "startsAt">>;

/** One change in the directory. A round of changes shows the properties that it touched. */
export interface LoggedChange {
  readonly id: string;
  readonly before: Person | undefined;
  readonly touched: ReadonlySet<keyof Person>;
  /** The person is new, or back from the recycle bin. */
  readonly appeared: "hired" | "restored" | null;
}

export type Refusal = "twin" | "badManager" | "refused" | "noSeat";

/** A person was removed from a group of the scope. */
export interface Removal {
  readonly group: string;
  readonly id: string;
}

/** A title that Lattice always refuses. */
export const refusedTitle = "Refused";

/** A pause of sending as a person ordered it; `until` by this machine's clock, `null`: until a person ends it. */
export interface OrderedPause {
  readonly until: number | null;
  readonly leaversToo: boolean;
}

/** A write that Lattice carried out. */
export interface Applied {
  /** The run that sent it, if two are under way; else `null`. */
  readonly by: Worker | null;
  readonly before: Account | null;
  readonly after: Account;
}

/** Both ends, and the rules that must never be broken. */
export interface World {
  readonly people: Map<string, Person>;
  /** Changes in order: their positions are the watermarks. */
  readonly log: LoggedChange[];
  readonly accounts: Map<string, Account>;
  /**
   * For each account, by its id, the person for whom it was made, to whom it was given, or who adopted it; also for accounts that
   * are gone. Derived from events at both ends, never from the engine's links.
   */
  readonly owners: Map<string, string>;
  /** Other people who may have an account by now, by its id. None, unless people can share an externalId. */
  readonly heirs: Map<string, Set<string>>;
  /** Accounts that were made and that the engine may not know: only the externalId shows whose they are. */
  readonly unconfirmed: Set<string>;
  /** Accounts that the cycle under way has written, and the people for whom it may have been. */
  readonly writtenFor: Map<string, ReadonlySet<string>>;
  /** The externalId of an account as the engine knows it: shown in a completed cycle, or listed in this one. */
  readonly carried: Map<string, string | null>;
  /** The externalId of an account as any answer to the cycle under way, not only a list, showed it; the cycle may have planned before that. */
  readonly carriedLater: Map<string, string | null>;
  /** The one person whom the cycle under way reads; `null`: it reads everybody. */
  onDemand: string | null;
  /** People who have left, of whom it is unknown which one has the account: either is correct as long as none comes back. */
  readonly unsettled: Set<string>;
  /** People who came during the cycle under way, which may not have read them. */
  readonly newcomers: Set<string>;
  /** The scope could not be read in the cycle under way: people who have entered it since are unknown. */
  scopeUnread: boolean;
  /** Nothing happens to the cycle under way. */
  calm: boolean;
  manners: Manners;
  configuration: Configuration;
  /** People who should get one another's userNames are renamed, not reported. */
  readonly breaksRings: boolean;
  /** Lists left people out at some time, so the engine may not know everyone. */
  readonly listsMissed: boolean;
  /** People who are one another's managers get them nevertheless. */
  readonly sendsManagerRings: boolean;
  /** People to whose accounts a manager was refused, for any reason. */
  readonly refusedWithManager: Set<string>;
  /** The fault of each failing record. */
  readonly troubles: Map<string, Trouble>;
  /** Everyone whose record failed at some time. */
  readonly everInTrouble: Set<string>;
  /** Room for active accounts; `null` for any number. */
  seats: number | null;
  otherTool: OtherTool | null;
  /** Another company's accounts, by id, while the address answers with those. */
  elsewhere: { readonly accounts: Map<string, Account>; readonly key: "new" | "same" } | null;
  /** When an account, by its id, was first answered with 404 since a completed cycle saw it. */
  readonly deniedSince: Map<string, number>;
  /** Accounts that were shown to the cycle under way in an earlier state. */
  readonly misread: Set<string>;
  /** Accounts that were shown to the cycle under way, or to the last one if it was completed. */
  readonly shownAccounts: Set<string>;
  /** When one of those was answered with 404 after that. */
  readonly deniedAgain: Map<string, number>;
  /** When the cycle under way, or the last one, began. */
  cycleAt: number;
  /** Configurations with which a cycle of everybody began since the last one was completed, or was completed: `configurationKey`. */
  plannedWith: Set<string>;
  /** People whose changes looks for leavers read that broke off, since the last cycle of everybody began. */
  sought: ReadonlySet<string>;
  /** When the cycles in the log began, by id. */
  readonly cycles: Map<number, number>;
  /** Those that were completed. */
  readonly ended: Set<number>;
  /** Milliseconds since the epoch. */
  now: number;
  /** How far this machine's clock is ahead, milliseconds; both ends show the true time. */
  skewMs: number;
  /** The directory has answered in the cycle under way. */
  answered: boolean;
  /** Watermarks below are refused. */
  oldestWatermark: number;
  /** Removals from groups of the scope, in order: their positions are the watermarks of the scope. */
  readonly removals: Removal[];
  /** The number of removals when the last read of the scope to its end began. */
  scopeReadFrom: number;
  /** The groups of the last watermark of the scope. */
  trackedGroups: ReadonlySet<string>;
  /** Watermarks of the scope below are refused. */
  oldestRemoval: number;
  /** The first broken promise; a history stops there. */
  readonly broken: string[];
  /** Changes that the guard counts and no person released, as Lattice carried them out. */
  readonly carriedOut: { readonly what: Guarded; readonly at: number; readonly objectId: string }[];
  /** The last pause of sending that a person ordered and did not end; it may be over. */
  pause: OrderedPause | null;
  /**
   * People whose operations were under way when sending was paused in the middle of the cycle: they are still sent. `everything`
   * until the run has noticed the pause; `null` if none came.
   */
  underWay: ReadonlySet<string> | "everything" | null;
  /** A pause that is for leavers too was in force when the cycle under way, or the last one, began. */
  leaversStopped: boolean;
  /** The members of the group on which a canary tries. */
  readonly canaryGroup: Set<string>;
  /** Accounts, by id, that a person has protected: they are never written. */
  readonly protectedAccounts: Set<string>;
  /** Accounts, by id, that a person has unlinked, with the person whose they were. */
  readonly unlinked: Map<string, string>;
  /** Released changes, by `releaseKey`. */
  readonly released: Set<string>;
  /** A person was edited while a cycle was reading. */
  editedMeanwhile: boolean;
  /** Each person as the directory last showed them, by id. */
  readonly shown: Map<string, Person>;
  /** Properties that no answer shows now, and for whom. */
  hidden: readonly { readonly property: HidableProperty; readonly of: string | "everybody" }[];
  /** The values that were shown about a person at any time, if answers may lack properties. */
  readonly known: Map<string, Shown>;
  /** Members of the groups that make up the scope, if there are several. */
  readonly groups: Groups;
  /** The accounts before and after the cycles of the log, by id; kept if the history has reverts. */
  readonly pasts: Map<number, Past>;
  /** The revert under way; `null` if there is none. */
  reverting: Reverting | null;
  /** Values that reverts have taken back, and that must stay, by account and attribute. */
  readonly takenBack: Map<string, TakenBack>;
  /** The run that sends the next write, if two are under way. */
  sender: Worker | null;
  /** The newest cycle before two runs that were under way together; `null` after any other cycle. */
  cycleBefore: number | null;
  /** The writes of the cycle under way. */
  readonly applied: Applied[];
  /** Each state of an account, by its id, since the log was last compared with them. */
  readonly versions: Map<string, Account[]>;
  /** The owner of the account; `null` if it has none. */
  ownerOf(account: Pick<Account, "id">): string | null;
  /** The people with this externalId; first a person who also has, or had, the userName. */
  peopleOf(externalId: string | null, userName: string): readonly string[];
  /** The states of a person that the cycle under way may have read. */
  statesOf(id: string): readonly Person[];
  /** The person as the engine can know them: if answers may lack properties, with what was shown. */
  asKnown(person: Person): Person;
  /** Whether a delay, if there is one, is over. */
  isDue(person: Person): boolean;
  put(person: Person): void;
  /** Call when the cycle that begins now reads everything again. */
  beginCycle(): void;
  create(account: Omit<Account, "id" | "stranger">): Account | Refusal;
  change(id: string, next: Account): Account | Refusal;
}
