import type { ConfirmedTarget } from "../../domain/state/account.ts";
import type { AttributeWrite, WriteReceipt } from "../../domain/target.ts";

/** An operation that was carried out, or whose account did not take what was sent. */
export interface Delivered {
  readonly receipt: WriteReceipt;
  /** The account as it was known before the write. */
  readonly link: ConfirmedTarget | null;
  /** What was meant to be written, where that is not what the operation says: a create met an account. */
  readonly writes?: readonly AttributeWrite[];
  /** The account was not as the plan knew it: the person is looked at again. */
  readonly again?: boolean;
  /** Why the account did not take what was sent. */
  readonly refusal?: unknown;
  /** Beside a refusal: the account is certainly this person's, and is linked whatever else is refused. */
  readonly certain?: boolean;
}
