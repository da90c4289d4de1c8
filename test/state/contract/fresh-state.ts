import { afterEach, beforeEach } from "vitest";
import type { StateStore } from "../../../src/domain/state/store.ts";

/** A state that is empty at first, and that several processes can have open at once. */
export interface FreshState {
  /** Opens it, as one more process does. */
  open(): StateStore;
  /** Removes it after each opened store was closed. @throws Error if what the store keeps contradicts itself */
  remove(): void;
}

/** Makes a new state for each test. */
export type MakeState = () => FreshState;

/** What a test of the contract works with. */
export interface Opened {
  /** The state of this test, opened once. */
  readonly store: StateStore;
  /** Opens the same state once more, as another process does. It is closed after the test. */
  another(): StateStore;
}

/** Gives each test of the surrounding `describe` an empty state, and closes and removes it afterwards. */
export function eachWithFreshState(make: MakeState): Opened {
  let state: FreshState | undefined;
  let stores: StateStore[] = [];
  const another = (): StateStore => {
    if (state === undefined) throw new Error("a state is there within a test alone");
    const store = state.open();
    stores.push(store);
    return store;
  };
  beforeEach(() => {
    state = make();
    another();
  });
  afterEach(async () => {
    for (const store of stores) await store.close();
    stores = [];
    state?.remove();
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
