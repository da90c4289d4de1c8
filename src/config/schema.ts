import { validate as isCronExpression } from "node-cron";
import { z } from "zod";
import { formatDuration } from "./duration.ts";
import {
  choice,
  duration,
  durationOrNever,
  flag,
  SECTION_MESSAGE,
  secret,
  text,
  timeZone,
  wholeNumber,
} from "./fields.ts";
import { entraSchema } from "./schema-entra.ts";
import { guardSchema } from "./schema-guard.ts";
import { httpSchema } from "./schema-http.ts";
import { metricsSchema } from "./schema-metrics.ts";
import { notifySchema } from "./schema-notify.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Entra's own interval. */
const DEFAULT_INTERVAL_MS = 45 * MINUTE_MS;

const latticeSchema = z
  .strictObject(
    {
      url: text("must be the SCIM address of Lattice, such as https://api.latticehq.com/scim/v2")
        .prefault("https://api.latticehq.com/scim/v2")
        .describe(
          "SCIM address (tenant URL) of Lattice. Azure's ?aadOptscim062020 is accepted and left out.",
        ),
      token: secret()
        .optional()
        .describe("API key that a Lattice super admin made. Better given as LATTICE_API_KEY_FILE."),
      updateMethod: choice(["auto", "patch", "put"])
        .prefault("auto")
        .describe("How an account is changed; auto asks Lattice's ServiceProviderConfig."),
      listing: choice(["strict", "tolerant"])
        .prefault("strict")
        .describe(
          "What a listing of Lattice is worth that contradicts itself (another number of accounts than it says, pages that repeat, an entry without an id): nothing, or what it shows. With tolerant, whoever is to get an account is searched for first.",
        ),
      maxConcurrency: wholeNumber(1, 64)
        .prefault(8)
        .describe("Requests to Lattice in flight at a time, at most."),
      maxRequestsPerSecond: z
        .number({ error: "must be a number above 0, or null for no limit" })
        .positive({ error: "must be a number above 0, or null for no limit" })
        .nullable()
        .prefault(25)
        .describe(
          "Requests to Lattice per second, at most; null for no limit. Lattice publishes no figure; 25 is what Entra asks SCIM services to withstand.",
        ),
      timeout: duration({ minimumMs: 100, maximumMs: 10 * MINUTE_MS })
        .prefault("30s")
        .describe("How long one request to Lattice may take."),
    },
    { error: SECTION_MESSAGE },
  )
  .transform(({ timeout, ...lattice }) => ({ ...lattice, timeoutMs: timeout }));

const mappingSchema = z
  .union(
    [
      text().describe("A YAML file, relative to this one."),
      z.array(z.unknown()).describe("The attribute mappings themselves."),
    ],
    { error: "must be the path of a YAML file, or a list of attribute mappings" },
  )
  .optional()
  .transform((value) => {
    if (value === undefined) return { kind: "default" as const };
    return typeof value === "string"
      ? { kind: "file" as const, path: value }
      : { kind: "inline" as const, rules: value };
  });

const MOST_DAYS = 3650;

/** What is done about an account because of one event: at once, some days after it was first seen, or never. */
function eventAction(event: string) {
  const error = "must be deactivate, ignore, or a section such as { do: deactivate, afterDays: 7 }";
  return z
    .union(
      [
        choice(["deactivate", "ignore"]),
        z.strictObject({
          do: choice(["deactivate", "ignore"]),
          afterDays: wholeNumber(0, MOST_DAYS).optional(),
        }),
      ],
      { error },
    )
    .transform((value, context) => {
      const { do: what, afterDays } = typeof value === "string" ? { do: value, afterDays: undefined } : value;
      if (what === "deactivate") return { do: what, afterMs: (afterDays ?? 0) * DAY_MS };
      if (afterDays === undefined) return { do: what };
      context.addIssue({
        code: "custom",
        message: "takes afterDays where it deactivates, not where it ignores",
        input: value,
      });
      return z.NEVER;
    })
    .prefault("deactivate")
    .describe(
      `What becomes of the account of somebody who ${event}: deactivate, ignore (left as it is, attributes included), or { do: deactivate, afterDays: 7 } to wait so many days from when it was first seen.`,
    );
}

const actionsSchema = z.strictObject(
  {
    create: flag().prefault(true).describe("Whether missing accounts are created."),
    update: flag().prefault(true).describe("Whether changed attributes are written."),
    deactivate: flag()
      .prefault(true)
      .describe(
        "Whether accounts are deactivated at all: of people who left, were disabled or went out of scope.",
      ),
    outOfScope: eventAction("is no longer in scope: not assigned, filtered out or excluded"),
    onDelete: eventAction("was deleted in Entra, for good or into the recycle bin"),
    onDisable: eventAction("was disabled in Entra"),
  },
  { error: SECTION_MESSAGE },
);

const scheduleSchema = z
  .strictObject(
    {
      every: duration({ minimumMs: MINUTE_MS })
        .optional()
        .describe(
          `Time from the start of one cycle to the start of the next. Default: ${formatDuration(DEFAULT_INTERVAL_MS)}, unless cron is given.`,
        ),
      cron: text("must be a cron expression of five fields")
        .refine((value) => value.split(/\s+/).length === 5 && isCronExpression(value), {
          error: "must be a cron expression of five fields",
        })
        .optional()
        .describe("Cron expression of five fields, instead of every."),
      timezone: timeZone().prefault("UTC").describe("Time zone of the cron expression."),
    },
    { error: SECTION_MESSAGE },
  )
  .transform(({ every, cron, timezone }, context) => {
    if (cron === undefined) {
      return { kind: "every" as const, everyMs: every ?? DEFAULT_INTERVAL_MS, timezone };
    }
    if (every !== undefined) {
      context.addIssue({
        code: "custom",
        path: ["cron"],
        message: "excludes schedule.every: keep one of the two",
        input: cron,
      });
      return z.NEVER;
    }
    return { kind: "cron" as const, cron, timezone };
  });

const reconcileSchema = z
  .strictObject(
    {
      every: durationOrNever({ minimumMs: MINUTE_MS })
        .prefault("24h")
        .describe(
          "How often both ends are read in full to find what changes do not tell; never switches it off.",
        ),
    },
    { error: SECTION_MESSAGE },
  )
  .transform(({ every }) => ({ everyMs: every }));

const stateSchema = z
  .strictObject(
    {
      path: text()
        .prefault("state/azure-lattice-sync.db")
        .describe("Database file, relative to the current folder."),
      retention: duration({ minimumMs: DAY_MS })
        .prefault("90d")
        .describe("How long finished cycles and their provisioning log are kept; at least for guard.window."),
      maxLogRows: wholeNumber(1_000)
        .nullable()
        .prefault(1_000_000)
        .describe(
          "Operations that the provisioning log keeps at most: the oldest cycles go first, the guard's window stays; null for any number.",
        ),
      logValues: choice(["keep", "hash", "omit"])
        .prefault("keep")
        .describe(
          "What the log keeps of values once an operation has ended: the values, hashes by which equal ones are known, or nothing.",
        ),
    },
    { error: SECTION_MESSAGE },
  )
  .transform(({ retention, ...state }) => ({ ...state, retentionMs: retention }));

const logSchema = z.strictObject(
  {
    level: choice(["trace", "debug", "info", "warn", "error", "fatal", "silent"])
      .prefault("info")
      .describe("Lowest level that is logged. People's data is logged at debug and below only."),
    format: choice(["auto", "json", "pretty"])
      .prefault("auto")
      .describe("JSON lines or text for people; auto is pretty on a terminal."),
  },
  { error: SECTION_MESSAGE },
);

const matchingSchema = z.strictObject(
  {
    adoptForeignExternalId: flag()
      .prefault(false)
      .describe(
        "Whether a Lattice account that matches by userName but has another system's externalId is adopted; otherwise it is reported and skipped.",
      ),
    formerOwner: choice(["report", "handOver"])
      .prefault("report")
      .describe(
        "What becomes of the account of a person who was deleted in Entra when the next person has its userName: reported, or handed over to that person.",
      ),
    renameRings: choice(["report", "temporaryName"])
      .prefault("report")
      .describe(
        "What becomes of people who are to get one another's userNames: reported, or renamed through a temporary userName of the same domain, of which Lattice may tell by mail. temporaryName needs externalId among the matching attributes.",
      ),
    protected: z
      .array(text("must be the userName or the Lattice id of an account"), {
        error: "must be a list of userNames or Lattice ids",
      })
      .prefault([])
      .describe("userNames or Lattice ids of accounts that are never linked nor written."),
  },
  { error: SECTION_MESSAGE },
);

const managerSchema = z.strictObject(
  {
    missing: choice(["clear", "keep"])
      .prefault("clear")
      .describe(
        "What becomes of the manager in Lattice when the one in Entra is another person, who has no account in Lattice and gets none: cleared until there is one, or kept.",
      ),
    rings: choice(["report", "send"])
      .prefault("report")
      .describe(
        "What becomes of people who are one another's managers in a ring, which Lattice may refuse: reported, and the rest of their changes sent; or sent, one member's manager after the accounts.",
      ),
  },
  { error: SECTION_MESSAGE },
);

/** The configuration as it may be written: what a file, the environment and the command line add up to. */
export const configSchema = z
  .strictObject(
    {
      entra: entraSchema.prefault({}).describe("Where people come from: Microsoft Entra ID."),
      lattice: latticeSchema.prefault({}).describe("Where people go to: Lattice's SCIM service."),
      mapping: mappingSchema.describe(
        "Attribute mapping: the path of a YAML file, relative to this file, or the list itself. Default: the mapping that Lattice documents for Azure.",
      ),
      onNull: choice(["clear", "keep"])
        .prefault("clear")
        .describe(
          "What happens in Lattice when a value goes missing in Entra, where the attribute mapping does not say.",
        ),
      matching: matchingSchema.prefault({}).describe("How existing Lattice accounts are found."),
      manager: managerSchema.prefault({}).describe("Managers who have no account in Lattice."),
      actions: actionsSchema.prefault({}).describe("What may be done in Lattice."),
      schedule: scheduleSchema.prefault({}).describe("When the daemon runs a cycle."),
      reconcile: reconcileSchema.prefault({}).describe("The full comparison of both ends."),
      drift: choice(["correct", "report"])
        .prefault("correct")
        .describe(
          "What becomes of accounts that were edited or removed by hand in Lattice: corrected, or only reported.",
        ),
      guard: guardSchema.prefault({}).describe("What holds a plan back until a person releases it."),
      state: stateSchema.prefault({}).describe("The database of what was read and what was confirmed."),
      http: httpSchema.prefault({}).describe("The daemon's own HTTP."),
      metrics: metricsSchema.prefault({}).describe("Metrics of runs that are not a daemon's."),
      log: logSchema.prefault({}).describe("Logs, on stderr."),
      notify: notifySchema.prefault({}).describe("Notifications (docs/notifications.md)."),
    },
    { error: SECTION_MESSAGE },
  )
  .describe("Configuration of azure-lattice-sync.");

/** A configuration as the schema leaves it: defaults filled in, paths as written. */
export type ParsedConfig = z.output<typeof configSchema>;

/**
 * A valid configuration: defaults filled in, paths absolute, the kind of credential chosen. It may be partial:
 * `requireEntra` and `requireLattice` demand what one end needs.
 */
export type Config = Omit<ParsedConfig, "entra"> & {
  entra: Omit<ParsedConfig["entra"], "credential"> & {
    credential: Exclude<ParsedConfig["entra"]["credential"], "auto">;
  };
};
