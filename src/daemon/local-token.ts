import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { isLocal, type Listen } from "../config/listen.ts";
import type { Config } from "../config/schema.ts";
import { errorText, UsageError } from "../domain/errors.ts";
import { Secret } from "../domain/secret.ts";
import { giveToOwnerOf } from "../state/sqlite/files/database.ts";

/** A token that the daemon has made for its dashboard. */
export interface LocalToken {
  readonly token: Secret;
  /** The file that holds it, readable by its owner only. */
  readonly file: string;
  /** Other users could read the file, so its token was replaced. */
  readonly replaced: boolean;
}

/**
 * The token that the dashboard asks for on a loopback address if none is configured; `null` if it asks for nothing. Other
 * accounts of the machine can connect to such an address too. The embedded company is open to them, because its people are
 * made up, unless `http.local` says otherwise. For a Unix socket, the file system decides who may connect.
 * @throws UsageError if the token can be neither read nor made
 */
export function localToken(
  http: Config["http"],
  listen: Listen,
  state: { readonly folder: string; readonly madeUp: boolean },
): LocalToken | null {
  if (http.token !== undefined || http.trustedHeader !== undefined || !isLocal(listen)) return null;
  const local = http.local ?? (state.madeUp || "path" in listen ? "open" : "token");
  return local === "open" ? null : readOrMake(join(state.folder, "http-token"));
}

function readOrMake(file: string): LocalToken {
  try {
    const found = read(file);
    if (found !== null && found !== "others can read it") return { token: found, file, replaced: false };
    const replaced = found !== null;
    if (replaced) rmSync(file);
    return { token: make(file), file, replaced };
  } catch (error) {
    throw new UsageError(
      `the dashboard's token cannot be kept in ${file} (${errorText(error)}): remove the file, or set http.token, or set http.local: open if everyone on this machine may use the dashboard`,
      { cause: error },
    );
  }
}

function read(file: string): Secret | "others can read it" | null {
  let handle: number;
  try {
    // Do not follow a link, which another user may have put there.
    handle = openSync(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
  try {
    const stat = fstatSync(handle);
    const self = process.getuid?.();
    if (!stat.isFile()) throw new Error("it is not a file");
    if (self !== undefined && self !== 0 && stat.uid !== self) throw new Error("it belongs to another user");
    if (self !== undefined && (stat.mode & 0o077) !== 0) return "others can read it";
    const text = readFileSync(handle, "utf8").trim();
    if (!/^[\w-]{43}$/.test(text)) throw new Error("it does not hold a token made by the daemon");
    return new Secret(text);
  } finally {
    closeSync(handle);
  }
}

function make(file: string): Secret {
  const text = randomBytes(32).toString("base64url");
  // With the state in PostgreSQL nothing else makes the folder.
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, `${text}\n`, { flag: "wx", mode: 0o600 });
  giveToOwnerOf(dirname(file), file);
  return new Secret(text);
}
