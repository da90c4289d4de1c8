import type { PoolConfig } from "pg";
import { parseIntoClientConfig } from "pg-connection-string";
import { UsageError } from "../../../domain/errors.ts";
import { isLoopbackName } from "../../../domain/loopback.ts";

/** A server as the driver understands its URL. */
export interface PostgresServer {
  /** For the driver. `ssl` is always there, so that no variable of the environment decides about it. */
  readonly config: PoolConfig & { readonly ssl: false | object };
  /** `true` if the connection is encrypted, and the server's certificate and name are checked before anything is sent. */
  readonly verified: boolean;
  /** `true` if the connection stays on this machine: a loopback name, or a socket in the file system. */
  readonly local: boolean;
}

/** Modes that the driver treats as `verify-full`, with a warning. */
const sameAsVerifyFull: ReadonlySet<string> = new Set(["prefer", "require", "verify-ca"]);
/** Parameters that have their own place in the URL. Messages and checks read that place only. */
const ownPlaces: ReadonlySet<string> = new Set([
  "host",
  "hostaddr",
  "port",
  "user",
  "password",
  "database",
  "db",
]);

/**
 * Reads the URL of a server by the driver's own parser, so that `verified` is true only if the driver verifies.
 * @throws UsageError for a URL that names the server or the mode of TLS in more than one way, for TLS without verification, and
 * for a certificate file that cannot be read
 */
export function serverOf(text: string): PostgresServer {
  const url = new URL(text);
  refuseDoubles(url);
  const mode = url.searchParams.get("sslmode");
  if (mode !== null && sameAsVerifyFull.has(mode)) url.searchParams.set("sslmode", "verify-full");
  const { ssl, user, password, host = "", port, database, sslnegotiation } = parsed(url);
  const tls = tlsOf(ssl);
  if (tls === "unverified") {
    throw new UsageError(
      "state.url asks for TLS that does not check the server's certificate: set sslmode=verify-full, with sslrootcert=FILE for an authority of your own, and leave out ssl, uselibpqcompat and no-verify",
    );
  }
  return {
    // Other parameters of the URL are left out: the driver would take them as settings of the pool, in place of those of this program.
    config: {
      ...Object.fromEntries(
        Object.entries({ user, password, host, port, database, sslnegotiation }).filter(
          ([, value]) => value !== undefined,
        ),
      ),
      // The name in the certificate is compared with this one; for an address the driver would compare it with "localhost".
      ssl: tls === "off" ? false : { ...optionsOf(ssl), rejectUnauthorized: true, host },
    },
    verified: tls === "verified",
    local: host.startsWith("/") || host === "::1" || isLoopbackName(host),
  };
}

function refuseDoubles({ hostname, searchParams }: URL): void {
  if (/,|%2c/i.test(hostname)) {
    throw new UsageError(
      "state.url names several hosts: name one, whose address leads to the primary server (a name in the DNS, or a virtual address)",
    );
  }
  const names = [...searchParams.keys()];
  const moved = names.find((name) => ownPlaces.has(name));
  if (moved !== undefined) {
    throw new UsageError(
      `state.url has ${moved} among its parameters: write it before the ?, as in postgres://user:password@host:port/database`,
    );
  }
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new UsageError(`state.url has ${twice} twice: keep one`);
  const [mode, ssl] = [searchParams.get("sslmode"), searchParams.get("ssl")];
  if (mode === "" || (ssl !== null && !["true", "1", "false", "0"].includes(ssl))) {
    throw new UsageError(
      "state.url does not say clearly whether TLS is used: set sslmode=verify-full, or sslmode=disable, and leave out ssl",
    );
  }
}

function parsed(url: URL): ReturnType<typeof parseIntoClientConfig> {
  try {
    return parseIntoClientConfig(url.href);
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException;
    if (code !== undefined && path !== undefined) {
      throw new UsageError(
        `state.url names the file ${path}, which cannot be read (${code}): correct its path`,
      );
    }
    throw new UsageError(
      "state.url cannot be read: write postgres://user:password@host:port/database, with special characters as %XX",
    );
  }
}

/** @param ssl as the driver read it: an option of Node's TLS, or a text from the URL */
function tlsOf(ssl: unknown): "off" | "verified" | "unverified" {
  if (ssl === undefined || ssl === false) return "off";
  if (ssl === true) return "verified";
  if (typeof ssl !== "object" || ssl === null) return "unverified";
  const { rejectUnauthorized = true, checkServerIdentity } = ssl as {
    readonly rejectUnauthorized?: boolean;
    readonly checkServerIdentity?: unknown;
  };
  return rejectUnauthorized && checkServerIdentity === undefined ? "verified" : "unverified";
}

function optionsOf(ssl: unknown): object {
  return typeof ssl === "object" && ssl !== null ? ssl : {};
}
