import type { MatchAnswer, NameHolder } from "../../domain/state/planning.ts";
import type { StateStore } from "../../domain/state/store.ts";
import { mostMatches } from "../records.ts";
import type { Database } from "./connection/database.ts";
import { matchedTarget, type TargetRow } from "./rows.ts";

const matching = (kind: string, keys: string, column: string): string => `SELECT '${kind}' AS kind, k.key, t.*
  FROM unnest(${keys}::text[]) AS k (key) CROSS JOIN LATERAL
    (SELECT * FROM target_user WHERE job = $1 AND ${column} = k.key ORDER BY lattice_id LIMIT ${mostMatches}) t`;
const matches = [
  matching("userName", "$2", "user_name_key"),
  matching("externalId", "$3", "external_id"),
  matching("latticeId", "$4", "lattice_id"),
].join(" UNION ALL ");
const holders = `SELECT DISTINCT ON (t.user_name_key) t.user_name_key AS key, t.object_id AS "objectId", t.user_name AS "userName",
    s.user_name_key AS wanted, r.code, r.next_try_at AS "nextTryAt"
  FROM target_user t JOIN source_user s ON s.job = t.job AND s.object_id = t.object_id
    LEFT JOIN retry r ON r.job = t.job AND r.object_id = t.object_id
  WHERE t.job = $1 AND t.user_name_key = ANY($2) AND s.presence <> 'deleted' ORDER BY t.user_name_key, t.lattice_id`;

interface MatchRow extends TargetRow {
  readonly kind: "userName" | "externalId" | "latticeId";
  readonly key: string;
}

interface HolderRow extends Omit<NameHolder, "failure"> {
  readonly key: string;
  readonly code: string | null;
  readonly nextTryAt: number | null;
}

/** Finds the accounts that may be a person's, and the person whose account has a user name. */
export function matchMethods(db: Database): Pick<StateStore, "matches" | "nameHolders"> {
  return {
    matches: async (requests) => {
      const names = requests.flatMap(({ userName }) => userName?.toLowerCase() ?? []);
      const externalIds = requests.flatMap(({ externalId }) => externalId ?? []);
      const lost = requests.flatMap((request) => request.lost);
      const rows = await db.all<MatchRow>(matches, unique(names), unique(externalIds), unique(lost));
      const found = Map.groupBy(rows, ({ kind, key }) => `${kind} ${key}`);
      const of = (kind: MatchRow["kind"], key: string | null) =>
        key === null ? [] : (found.get(`${kind} ${key}`) ?? []).map(matchedTarget);
      return new Map(
        requests.map((request): [string, MatchAnswer] => [
          request.objectId,
          {
            byUserName: of("userName", request.userName?.toLowerCase() ?? null),
            byExternalId: of("externalId", request.externalId),
            byLostLink: request.lost.flatMap((latticeId) => of("latticeId", latticeId)),
          },
        ]),
      );
    },
    nameHolders: async (keys) =>
      new Map(
        (await db.all<HolderRow>(holders, keys)).map(({ key, code, nextTryAt, ...known }) => [
          key,
          { ...known, failure: code === null || nextTryAt === null ? null : { code, nextTryAt } },
        ]),
      ),
  };
}

function unique(keys: readonly string[]): readonly string[] {
  return [...new Set(keys)];
}
