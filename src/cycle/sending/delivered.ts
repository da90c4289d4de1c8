import type { ConfirmedTarget } from "../../domain/state/account.ts";
import type { AttributeWrite, WriteReceipt } from "../../domain/target.ts";

/** An operation that was carried out, or whose account did not take the writes (`refusal`). */
export interface Delivered {
  readonly receipt: WriteReceipt;
  /** The account as it was known before the write. */
  readonly link: ConfirmedTarget | null;
  /** The writes, if they are not those of the operation: a create met an existing account. */
  readonly writes?: readonly AttributeWrite[];
  /** The account was not as the plan knew it, so the person is planned again. */
  readonly again?: boolean;
  /** Why the account did not take the writes. */
  readonly refusal?: unknown;
  /** With a refusal: the account is certainly this person's and is linked all the same. */
  readonly certain?: boolean;
  /** `true` if the answer was confirmed by a read already. */
  readonly confirmed?: boolean;
}
