/** Run as a process of its own, because NODE_EXTRA_CA_CERTS is read once, at its start. */
import { systemClock } from "../../src/domain/clock.ts";
import { Secret } from "../../src/domain/secret.ts";
import type { EntraCredential } from "../../src/entra/options.ts";
import { createEntraSource } from "../../src/entra/source.ts";

const {
  ALS_TEST_ORIGIN: origin = "",
  ALS_TEST_TENANT: tenantId = "",
  ALS_TEST_SECRET,
  ALS_TEST_PEM,
} = process.env;
const credential: EntraCredential =
  ALS_TEST_PEM === undefined
    ? { kind: "clientSecret", secret: new Secret(ALS_TEST_SECRET ?? "") }
    : { kind: "clientCertificate", path: ALS_TEST_PEM };
const source = createEntraSource({
  tenantId,
  clientId: ALS_TEST_PEM === undefined ? "app-with-secret" : "app-with-certificate",
  credential,
  authorityHost: origin,
  graphUrl: origin,
  scope: { mode: "all" },
  select: ["id"],
  clock: { now: systemClock.now, sleep: async () => undefined },
});
const { signal } = new AbortController();
const outcome = await source.readUser("u1", signal).then(
  (user) => ({ user }),
  (error: unknown) =>
    error instanceof Error
      ? { error: error.constructor.name, message: error.message }
      : { error: String(error) },
);
process.stdout.write(JSON.stringify(outcome));
