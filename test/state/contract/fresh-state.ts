import { afterEach, beforeEach } from "vitest";
import type { StateStore } from "../../../src/domain/state/store.ts";
import type { LogValues } from "../../../src/state/logged-values.ts";

/** The role that every store has. */
type Closing = Pick<StateStore, "close">;

/** A state that is empty at first, and that several processes can have open at once. */
export interface FreshState<Store extends Closing = StateStore> {
  /** Opens it, as one more process does. @param logValues which values of people the log keeps; default: all */
  open(logValues?: LogValues): Promise<Store>;
  /** Removes it after each opened store was closed. @throws Error if what the store keeps contradicts itself */
  remove(): void | Promise<void>;
}

/** Makes a new state for each test. */
export type MakeState<Store extends Closing = StateStore> = () =>
  | FreshState<Store>
  | Promise<FreshState<Store>>;

/** The tools of a test of the contract. */
export interface Opened<Store extends Closing = StateStore> {
  /** The state of this test, opened once. */
  readonly store: Store;
  /** Opens the same state once more, as another process does. It is closed after the test. */
  another(logValues?: LogValues): Promise<Store>;
}

/** Gives each test of the surrounding `describe` an empty state, and closes and removes it afterwards. */
export function eachWithFreshState<Store extends Closing>(make: MakeState<Store>): Opened<Store> {
  let state: FreshState<Store> | undefined;
  let stores: Store[] = [];
  const another = async (logValues?: LogValues): Promise<Store> => {
    if (state === undefined) throw new Error("a state is there within a test alone");
    const store = await state.open(logValues);
    stores.push(store);
    return store;
  };
  beforeEach(async () => {
    state = await make();
    await another();
  });
  afterEach(async () => {
    for (const store of stores) await store.close();
    stores = [];
    await state?.remove();
  });
  return {
    get store() {
      const [first] = stores;
      if (first === undefined) throw new Error("a state is there within a test alone");
      return first;
    },
    another,
  };
}
