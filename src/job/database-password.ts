import { credentialOf } from "../config/require.ts";
import type { Config } from "../config/schema.ts";
import { systemClock } from "../domain/clock.ts";
import { UsageError } from "../domain/errors.ts";

const timeoutMs = 30_000;

/** The audience of Azure Database for PostgreSQL, by the cloud that signs in. */
const audiences: readonly (readonly [authority: RegExp, audience: string])[] = [
  [/microsoftonline\.us$/, "https://ossrdbms-aad.database.usgovcloudapi.net"],
  [/chinacloudapi\.cn$/, "https://ossrdbms-aad.database.chinacloudapi.cn"],
  [/./, "https://ossrdbms-aad.database.windows.net"],
];

/**
 * Gives a token of Entra as the password of a connection to Azure Database for PostgreSQL: a fresh one if the last one is about to expire. The
 * credential is the one that reads the directory. The token is sent only to a server whose certificate was checked.
 * @throws UsageError if the credential is incomplete
 */
export function databasePassword(config: Config, url: URL): () => Promise<string> {
  if (url.username === "") {
    throw new UsageError(
      "state.url names no user, which state.signIn: entra needs: write postgres://USER@HOST/DATABASE with the name that the identity has in the database",
    );
  }
  const { tenantId, credential } = credentialOf(config);
  const { clientId, authorityHost } = config.entra;
  const authority = new URL(authorityHost);
  const audience = audiences.find(([pattern]) => pattern.test(authority.hostname))?.[1] ?? "";
  let provider: Promise<{ get(signal: AbortSignal): Promise<{ readonly token: string }> }> | undefined;
  return async () => {
    // Loaded when it is used.
    provider ??= import("../entra/credential.ts").then(({ createTokenProvider }) =>
      createTokenProvider({
        tenantId,
        clientId,
        credential,
        authority,
        graphUrl: new URL(audience),
        clock: systemClock,
        log: undefined,
        timeoutMs,
      }),
    );
    return (await (await provider).get(AbortSignal.timeout(timeoutMs))).token;
  };
}
