import { RecordRejectedError } from "../domain/errors.ts";
import { isJsonObject, type JsonObject } from "../domain/json.ts";
import type { AttributeWrite, TargetUser, WriteReceipt } from "../domain/target.ts";
import type { Done, LatticeClient } from "./client.ts";
import type { UpdateMethod } from "./options.ts";
import { memberOf, type PathTable, readAttribute } from "./path.ts";
import { applyWrites, idInReference, parseUser } from "./resource.ts";
import { buildPatchBody, buildPutBody, touchesList } from "./update-body.ts";
import { notTheAccount, userPath } from "./user-address.ts";

/** One change of one account. */
export interface Update {
  readonly how: UpdateMethod;
  readonly user: TargetUser;
  readonly writes: readonly AttributeWrite[];
  /** Values that the account has and never shows: a PUT without them would clear them. */
  readonly unshown: readonly AttributeWrite[];
}

export interface Updates {
  /** @throws RecordRejectedError, RecordUnavailableError, and errors that are not about one record */
  send(update: Update, signal: AbortSignal): Promise<WriteReceipt>;
}

/** The account as just read. */
interface Read {
  readonly resource: JsonObject;
  readonly version: string | undefined;
  readonly done: Done;
}

/** Reads that a write may need before it is accepted: one because a version is required, one because it was outdated. */
const mostTries = 3;

/**
 * Sends updates as PATCH or PUT. Three cases need the account to be read first: a PUT, a PATCH of a multi-valued attribute
 * (which is sent whole), and a server that requires the account's version.
 */
export function createUpdates(client: LatticeClient, paths: PathTable): Updates {
  /** Whether this server requires the version of an account (428, 412). */
  let versioned = false;
  /** References whose old parts remain if only a new value is sent, and whether they can be removed first. */
  const replaced = new Map<string, boolean>();

  async function attempt(update: Update, signal: AbortSignal): Promise<WriteReceipt> {
    const { how, user, writes, unshown } = update;
    const path = userPath(user.latticeId);
    const read =
      how === "put" || versioned || touchesList(writes, paths)
        ? await readAccount(client, user.latticeId, signal)
        : undefined;
    const known = read === undefined ? undefined : parseWritten(read.done, paths, user.latticeId);
    const before = known ?? user;
    const body =
      how === "put"
        ? buildPutBody(read?.resource ?? {}, [...unshown, ...writes], paths)
        : buildPatchBody(read?.resource ?? {}, writes, paths, toReplace(before));
    if (body === undefined) return { user: before, status: 200, requestId: read?.done.requestId };
    const ifMatch = versioned && read !== undefined ? { ifMatch: read.version ?? "*" } : {};
    const method = how === "put" ? "PUT" : "PATCH";
    const done = await client.sendRepeatable({ purpose: "update", method, path, body, ...ifMatch }, signal);
    const shown = await shownAfter(done, user.latticeId, signal);
    const receipt: WriteReceipt = {
      user: shown ?? applyWrites(before, writes, paths),
      status: done.status,
      requestId: done.requestId,
    };
    const stale = how === "put" ? [] : staleReferences(done, writes);
    return stale.length === 0 ? receipt : replaceWhole(receipt, { ...update, writes: stale }, signal);
  }

  /** The account in the answer to a write. If the answer shows another account, it says nothing, and this one is read. */
  async function shownAfter(
    done: Done,
    latticeId: string,
    signal: AbortSignal,
  ): Promise<TargetUser | undefined> {
    const id = done.body === undefined ? null : idOf(done.body);
    const said = id === null || id === latticeId ? done : (await readAccount(client, latticeId, signal)).done;
    return parseWritten(said, paths, latticeId);
  }

  /** Sends references again as a removal and a new value. If the server refuses that, the old parts remain. */
  async function replaceWhole(
    first: WriteReceipt,
    update: Update,
    signal: AbortSignal,
  ): Promise<WriteReceipt> {
    for (const { path } of update.writes) replaced.set(path, true);
    try {
      return await attempt({ ...update, user: first.user }, signal);
    } catch (error) {
      if (!(error instanceof RecordRejectedError)) throw error;
      for (const { path } of update.writes) replaced.set(path, false);
      return first;
    }
  }

  const toReplace = (user: TargetUser): ReadonlySet<string> =>
    new Set([...replaced].flatMap(([path, can]) => (can && Object.hasOwn(user.values, path) ? [path] : [])));

  /** Writes of references for which the answer shows the new id, but the address of another account. */
  function staleReferences(done: Done, writes: readonly AttributeWrite[]): readonly AttributeWrite[] {
    const { body } = done;
    if (body === undefined) return [];
    return writes.filter(({ path: text, value }) => {
      const path = paths.of(text);
      if (!path.reference || typeof value !== "string" || replaced.has(text)) return false;
      const shown = readAttribute(body, path);
      if (!isJsonObject(shown) || memberOf(shown, "value", null) !== value) return false;
      const pointed = idInReference(shown);
      return pointed !== null && pointed !== value;
    });
  }

  return {
    send: async (update, signal) => {
      for (let tried = 1; ; tried += 1) {
        try {
          return await attempt(update, signal);
        } catch (error) {
          const refused =
            error instanceof RecordRejectedError && (error.status === 428 || error.status === 412);
          if (!refused || tried >= mostTries) throw error;
          versioned = true;
        }
      }
    },
  };
}

async function readAccount(client: LatticeClient, latticeId: string, signal: AbortSignal): Promise<Read> {
  const done = await client.sendRepeatable(
    { purpose: "update", method: "GET", path: userPath(latticeId) },
    signal,
  );
  // Without the current account its entries could be lost, and a PUT would clear every attribute that is not mapped.
  const resource = done.body;
  if (resource === undefined || memberOf(resource, "userName", null) === undefined) {
    throw notTheAccount(latticeId, undefined);
  }
  const id = idOf(resource);
  if (id !== null && id !== latticeId) throw notTheAccount(latticeId, id);
  return { resource, version: versionOf(done, resource), done };
}

function idOf(resource: JsonObject): string | null {
  const id = memberOf(resource, "id", null);
  return typeof id === "string" || typeof id === "number" ? String(id) : null;
}

/** RFC 7644 section 3.14: in the header, or in the account itself. */
function versionOf({ etag }: Done, resource: JsonObject): string | undefined {
  const meta = memberOf(resource, "meta", null);
  const version = isJsonObject(meta) ? memberOf(meta, "version", null) : undefined;
  return etag ?? (typeof version === "string" && /^[\x20-\x7e]+$/.test(version) ? version : undefined);
}

function parseWritten(done: Done, paths: PathTable, latticeId: string): TargetUser | undefined {
  const user = parseUser(done.body, paths);
  return user?.latticeId === latticeId && user.userName !== "" ? user : undefined;
}
