/**
 * Why people are in the next plan. A store finds the people by an index and marks them; by itself it marks no one. `retry`: a person who
 * waits for a retry is tried at once, because the values of the failed try have changed.
 */
export type Mark =
  /** One person. */
  | { readonly who: "person"; readonly objectId: string; readonly retry?: true }
  /** People who have this person as their manager. */
  | {
      readonly who: "reports";
      readonly objectId: string;
      readonly retry?: true;
      /** They now wait until this person has an account. */
      readonly await?: true;
    }
  /** People who map to this userName (in lower case) or externalId. */
  | {
      readonly who: "sharers";
      readonly of: "userName" | "externalId";
      readonly key: string;
      readonly retry?: true;
    }
  /** People whose link to this account, or to one with this externalId, was removed. */
  | { readonly who: "lostOwners"; readonly latticeId: string; readonly externalId: string | null }
  /** People who map to the userName or externalId that this person maps to. */
  | { readonly who: "sharersWith"; readonly objectId: string }
  /** The person whose account has this userName (in lower case), unless it is the one that the person maps to. */
  | { readonly who: "bearer"; readonly userName: string }
  /** The person whose account has the userName that this person maps to. */
  | { readonly who: "bearerOfNameOf"; readonly objectId: string };
