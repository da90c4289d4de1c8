import { DomainError, StateError } from "../../../domain/errors.ts";

/** The names of a database and its user in messages. */
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

/** A server lacks a transaction that was answered as committed. No connection to it is used. */
export class OlderServerError extends StateError {}

/** The connection is gone, and with it the answer to the last statement. */
export function isLost(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof DomainError) return false;
  const code = codeOf(error);
  return code === "" ? lostWords.test(error.message) : lostCodes.test(code);
}

/** 57P0x: the server ends connections, or takes none yet. 25P03 and 25P04: it ended a transaction that took too long. */
const lostCodes = /^(08...|57P0[1-5]|25P0[34]|ECONNRESET|EPIPE|ETIMEDOUT|ECONNABORTED)$/;
/** The driver gives no code for these. */
const lostWords =
  /^(Connection terminated|Client has encountered a connection error|Query read timeout|Client was closed|timeout expired|timeout exceeded when trying to connect)/;

/**
 * A fault that passes by itself: a server restarts, another one takes over, or transactions exclude each other. The transaction was rolled
 * back, unless only the answer to its COMMIT was lost.
 */
export function isTransient(error: unknown): boolean {
  return isLost(error) || isStale(error) || passingCodes.test(codeOf(error));
}

/** 55P03: a lock was not obtained in time. */
const passingCodes =
  /^(40001|40P01|53300|55P03|ECONNREFUSED|EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|ENETDOWN|EAI_AGAIN|ENOTFOUND|ENOENT)$/;

/**
 * Another connection is needed: the server of this one cannot write, because another server is about to take over; or the connection
 * knows the tables as they were before they were changed.
 */
export function isStale(error: unknown): boolean {
  const code = codeOf(error);
  return (
    code === "25006" || (code === "0A000" && error instanceof Error && /cached plan/.test(error.message))
  );
}

/** SQLSTATE, or the code of a system error; empty if there is none. */
function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

/** The error as a sentence if it is the database's; any other error as it is. */
export function stateError(words: DatabaseInWords, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof DomainError) return error;
  const code = codeOf(error);
  const known = sentences.find(({ codes, says }) =>
    code === ""
      ? codes === undefined && says?.test(error.message)
      : codes?.test(code) && (says?.test(error.message) ?? true),
  );
  if (known !== undefined) {
    return new StateError(known.sentence(words, code === "" ? "no answer" : code, error.message), {
      cause: error,
    });
  }
  if (!/^([0-9A-Z]{5}|E[A-Z0-9]+)$/.test(code)) return error;
  return new StateError(`${words.name} answered with an error (${code}): ${error.message}`, { cause: error });
}

interface Sentence {
  /** Codes of the error; none: it has no code. */
  readonly codes?: RegExp;
  /** The error's text, if its code alone does not decide. */
  readonly says?: RegExp;
  readonly sentence: (words: DatabaseInWords, code: string, message: string) => string;
}

const behindPooler: Sentence["sentence"] = ({ name }) =>
  `${name} is behind a connection pooler that does not keep the settings of a connection: connect to the server itself`;
const noTls: Sentence["sentence"] = ({ name }) =>
  `${name} does not offer TLS, which the URL asks for: turn TLS on at the server, or set sslmode in state.url`;
const wrongPassword: Sentence["sentence"] = ({ name, user }) =>
  `${name} refused the password of the user ${user}: correct it in state.url (ALS_STATE_URL)`;
const unreachable: Sentence["sentence"] = ({ name }, code) =>
  `${name} cannot be reached (${code}): check that the server runs, that the host and port in state.url (ALS_STATE_URL) are right, and that no firewall is in between`;
const lost: Sentence["sentence"] = ({ name }, code) =>
  `the connection to ${name} was lost and could not be made again (${code}): check that the server runs, then run again. Incomplete writes were discarded`;

/** Node's codes for a certificate that OpenSSL rejects (`X509_V_ERR_…`), or whose name is another one. */
const certificateCodes =
  /^(CERT_|CRL_|UNABLE_TO_|ERROR_IN_C|DEPTH_ZERO_|SELF_SIGNED_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_|HOSTNAME_MISMATCH|UNSPECIFIED|ERR_TLS_CERT_)/;

const sentences: readonly Sentence[] = [
  // PgBouncer: a setting that it does not know, or that its statements went to another connection.
  { codes: /^08P01$/, says: /unsupported startup parameter/, sentence: behindPooler },
  { codes: /^(26000|42P05)$/, sentence: behindPooler },
  { says: /does not support SSL/, sentence: noTls },
  {
    codes: /^28000$/,
    says: /no encryption|SSL off/,
    sentence: ({ name }) =>
      `${name} accepts only encrypted connections: add ?sslmode=verify-full to state.url (ALS_STATE_URL)`,
  },
  {
    codes: /^28000$/,
    says: /client certificate/,
    sentence: ({ name, user }, code) =>
      `${name} asks the user ${user} for a certificate (${code}): name it with sslcert=FILE and sslkey=FILE in state.url (ALS_STATE_URL)`,
  },
  {
    codes: /^28000$/,
    sentence: ({ name, user }, code) =>
      user === ""
        ? `${name} does not accept a connection without a user name (${code}): put one into state.url (ALS_STATE_URL), as in postgres://USER@HOST/DATABASE`
        : `${name} does not accept the user ${user} (${code}): check the user in state.url (ALS_STATE_URL), and that the server allows this host`,
  },
  { codes: /^28P01$/, sentence: wrongPassword },
  { says: /^SASL|password must be a string/i, sentence: wrongPassword },
  {
    codes: /^3D000$/,
    sentence: ({ name }) =>
      `${name} does not exist: create the database, or correct state.url (ALS_STATE_URL)`,
  },
  {
    codes: /^(ENOTFOUND|EAI_AGAIN)$/,
    sentence: ({ name }, code) =>
      `${name} cannot be found (${code}): check the host name in state.url (ALS_STATE_URL), and the DNS of this machine`,
  },
  {
    codes: /^(ECONNREFUSED|EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|ENETDOWN|ETIMEDOUT|ENOENT)$/,
    sentence: unreachable,
  },
  { says: /^timeout |connection timeout$/, sentence: unreachable },
  {
    codes: certificateCodes,
    sentence: ({ name }, code) =>
      `the certificate of ${name} is not valid for this machine (${code}): name the authority that issued it with sslrootcert=FILE in state.url, and the server by the name in its certificate`,
  },
  {
    codes: /^(EPROTO|ERR_SSL_|ERR_OSSL_|ERR_TLS_)/,
    sentence: ({ name }, code, message) =>
      `TLS could not be set up with ${name} (${code}): ${message.trim()}. Check that state.url leads to PostgreSQL, and the versions and certificates of TLS on both sides`,
  },
  { says: /establishing an SSL connection/, sentence: noTls },
  {
    codes: /^42501$/,
    says: /temporary/,
    sentence: ({ name, user }, code) =>
      `the user ${user} may not make temporary tables in ${name}, which a dry run needs (${code}): allow it with GRANT TEMPORARY ON DATABASE`,
  },
  {
    codes: /^42501$/,
    sentence: ({ name, user }, code, message) =>
      `the user ${user} may not do what is needed in ${name} (${message}, ${code}): make this user the owner of the schema azure_lattice_sync and of its tables, or allow it to create one`,
  },
  {
    codes: /^53300$/,
    sentence: ({ name }, code) =>
      `${name} has no connection left (${code}): end other programs' connections, or raise max_connections`,
  },
  {
    codes: /^(53100|53400)$/,
    sentence: ({ name }, code) =>
      `the disk of ${name} is full (${code}): free some space and run again. Incomplete writes were discarded`,
  },
  {
    codes: /^(53200|53000)$/,
    sentence: ({ name }, code) => `${name} has too little memory (${code}): give the server more`,
  },
  {
    codes: /^25006$/,
    says: /^the server is a replica$/,
    sentence: ({ name }) =>
      `${name} cannot be written, because it is a read-only replica: connect to the primary server`,
  },
  {
    codes: /^25006$/,
    sentence: ({ name }, code) =>
      `${name} cannot be written, because it is a read-only replica or set to read-only (${code}): connect to the primary server`,
  },
  {
    codes: /^(42P01|42703|3F000|42883)$/,
    sentence: ({ name }, code, message) =>
      `${name} was modified outside this program (${message}, ${code}): restore its tables from a backup`,
  },
  {
    codes: /^(XX001|XX002)$/,
    sentence: ({ name }, code, message) =>
      `${name} is damaged (${message}, ${code}): restore it from a backup`,
  },
  {
    codes: /^(40001|40P01|55P03)$/,
    sentence: ({ name }, code) =>
      `${name} is in use by other transactions that did not end (${code}): run again. Incomplete writes were discarded`,
  },
  {
    codes: /^57014$/,
    sentence: ({ name }, code) =>
      `${name} stopped a statement (${code}), which took longer than 55 seconds or was ended by an administrator: run again; if it happens again, give the server more power`,
  },
  { codes: lostCodes, sentence: lost },
  { says: lostWords, sentence: lost },
];
