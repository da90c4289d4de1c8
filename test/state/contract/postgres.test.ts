import { accountMethods } from "../../../src/state/postgres/accounts.ts";
import { commitMethod } from "../../../src/state/postgres/commit.ts";
import { connect } from "../../../src/state/postgres/connection/connect.ts";
import { leaseMethods } from "../../../src/state/postgres/lease.ts";
import { peopleMethods } from "../../../src/state/postgres/people.ts";
import { stagingMethods } from "../../../src/state/postgres/staging.ts";
import { freshPlace } from "../postgres/place.ts";
import { describeLease } from "./lease.ts";
import { describeStaging } from "./staging.ts";

/** The roles that are written so far. */
async function postgresState() {
  const place = await freshPlace();
  return {
    open: async () => {
      const { db, close } = await connect(place);
      return {
        ...leaseMethods(db, "caller"),
        ...commitMethod(db, "keep"),
        ...peopleMethods(db),
        ...accountMethods(db),
        ...stagingMethods(db),
        close,
      };
    },
    // The rows stay until the server ends: tests of other jobs must not see them.
    remove: () => {},
  };
}

describeLease(postgresState);
describeStaging(postgresState);
