import { DomainError, StateError } from "../../../domain/errors.ts";

/** A database as the sentences about it call it. */
export interface DatabaseInWords {
  /** Such as "the state database db.example.com/als". */
  readonly name: string;
  readonly user: string;
}

/** The database of a URL, without its password. */
export function databaseInWords(url: URL): DatabaseInWords {
  const path = decodeURIComponent(url.pathname.slice(1));
  return {
    name: `the state database ${url.host}${path === "" ? "" : `/${path}`}`,
    user: decodeURIComponent(url.username),
  };
}

/** The connection is gone, and with it the answer to what was asked last. */
export function isLost(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof DomainError) return false;
  const code = codeOf(error);
  if (/^(08|57P0[1-5]|25P0[34])/.test(code)) return true;
  if (/^(ECONNRESET|EPIPE|ETIMEDOUT|ECONNABORTED)$/.test(code)) return true;
  return lostWords.test(error.message) && code === "";
}

const lostWords =
  /^(Connection terminated|Client has encountered a connection error|Query read timeout|Client was closed|timeout exceeded when trying to connect)/;

/** A fault that passes by itself: nothing of the transaction was done, or its end was asked for. */
export function isTransient(error: unknown): boolean {
  return isLost(error) || /^(40001|40P01|53300|ECONNREFUSED|EAI_AGAIN)$/.test(codeOf(error));
}

/** SQLSTATE, or the code of a system error; empty if there is none. */
function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

/** The error as a sentence if it is the database's; any other error as it is. */
export function stateError(words: DatabaseInWords, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof DomainError) return error;
  const code = codeOf(error);
  const known = sentences.find(([about]) => about.test(code) || about.test(error.message));
  if (known !== undefined) return new StateError(known[1](words, code, error.message), { cause: error });
  if (code === "" && !lostWords.test(error.message)) return error;
  return new StateError(`${words.name} answered with an error (${code}): ${error.message}`, { cause: error });
}

const sentences: readonly (readonly [
  RegExp,
  (words: DatabaseInWords, code: string, message: string) => string,
])[] = [
  [
    /unsupported startup parameter|pgbouncer|^(26000|42P05)$/i,
    ({ name }) =>
      `${name} is behind a connection pooler that does not keep the settings of a connection: connect to the server itself, or to a pool in session mode`,
  ],
  [
    /does not support SSL/,
    ({ name }) =>
      `${name} does not offer TLS, which the URL asks for: turn TLS on at the server, or set sslmode in state.url`,
  ],
  [
    /^(28000)$|no encryption/,
    ({ name, user }, code, message) =>
      /no encryption|SSL off/.test(message)
        ? `${name} takes encrypted connections alone: add ?sslmode=verify-full to state.url (ALS_STATE_URL)`
        : `${name} does not let the user ${user} in (${code}): check the user in state.url (ALS_STATE_URL), and that the server allows this host`,
  ],
  [
    /^28P01$|SASL|password must be a string/,
    ({ name, user }) =>
      `${name} refused the password of the user ${user}: correct it in state.url (ALS_STATE_URL)`,
  ],
  [
    /^3D000$/,
    ({ name }) => `${name} does not exist: create the database, or correct state.url (ALS_STATE_URL)`,
  ],
  [
    /^(ENOTFOUND|EAI_AGAIN)$/,
    ({ name }, code) =>
      `${name} cannot be found (${code}): check the host name in state.url (ALS_STATE_URL), and the DNS of this machine`,
  ],
  [
    /^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|ENOENT)$|timeout exceeded when trying to connect/,
    ({ name }, code) =>
      `${name} cannot be reached (${code === "" ? "no answer" : code}): check that the server runs, that the host and port in state.url (ALS_STATE_URL) are right, and that no firewall is in between`,
  ],
  [
    /CERT|SIGNATURE|ALTNAME|certificate/i,
    ({ name }, code) =>
      `the certificate of ${name} is not valid for this machine (${code}): name the authority that issued it with sslrootcert=FILE in state.url, and the server by the name in its certificate`,
  ],
  [
    /^42501$/,
    ({ name, user }, code, message) =>
      `the user ${user} may not do what is needed in ${name} (${message}, ${code}): make this user the owner of the schema azure_lattice_sync, or allow it to create one`,
  ],
  [
    /^53300$/,
    ({ name }, code) =>
      `${name} has no connection left (${code}): end other programs' connections, or raise max_connections`,
  ],
  [
    /^(53100|53400)$/,
    ({ name }, code) =>
      `the disk of ${name} is full (${code}): free some space and run again. Incomplete writes were discarded`,
  ],
  [/^(53200|53000)$/, ({ name }, code) => `${name} has too little memory (${code}): give the server more`],
  [
    /^25006$/,
    ({ name }, code) =>
      `${name} cannot be written, because it is a read-only replica or set to read-only (${code}): connect to the primary server`,
  ],
  [
    /^(42P01|42703|3F000|42883)$/,
    ({ name }, code, message) =>
      `${name} was modified outside this program (${message}, ${code}): restore its tables from a backup`,
  ],
  [
    /^(XX001|XX002)$/,
    ({ name }, code, message) => `${name} is damaged (${message}, ${code}): restore it from a backup`,
  ],
  [
    /^(40001|40P01|55P03)$/,
    ({ name }, code) => `${name} is in use by other transactions that did not end (${code}): run again`,
  ],
  [
    /^(08|57P0|25P0|57014|ECONNRESET|EPIPE|ECONNABORTED)|^Connection terminated|^Client |^Query read timeout/,
    ({ name }, code) =>
      `the connection to ${name} was lost and could not be made again (${code === "" ? "no answer" : code}): check that the server runs, then run again. Incomplete writes were discarded`,
  ],
];
