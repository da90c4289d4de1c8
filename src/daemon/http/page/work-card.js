import { h } from "./dom.js";
import { pageAddress } from "./job.js";
import { count, duration, number, outcomeTag } from "./words.js";

/** The title of a piece of work while it runs, when it has failed and when it has ended. */
export function workName({ kind, trigger, decision }) {
  if (kind === "release") return decisionName(decision);
  if (kind === "revert") {
    return {
      going: "A cycle is being taken back",
      failed: "Nothing more is taken back",
      ended: "Taken back",
    };
  }
  if (kind === "onDemand") {
    return {
      going: "A sync of single people is running",
      failed: "The sync of single people failed",
      ended: "The sync of single people has ended",
    };
  }
  const name =
    kind === "dryRun" ? "The dry run" : trigger === "hand" ? "The manual sync" : "The scheduled cycle";
  return { going: `${name} is running`, failed: `${name} failed`, ended: `${name} has ended` };
}

function decisionName({ released, rejected, undone }) {
  const parts = [
    [released, "release", "Released"],
    [rejected, "rejection", "Rejected"],
    [undone, "undo of rejections", "Rejection undone"],
  ].filter(([people]) => people > 0);
  const people = (value) => count(value, "person", "people");
  const names = parts.map(([value, name]) => `${name} for ${people(value)}`).join(" and the ");
  return {
    going: `The ${names} is running`,
    failed: `The ${names} failed`,
    ended: parts.map(([value, , done]) => `${done}: ${people(value)}`).join(". "),
  };
}

/** A piece of work, with its progress or its result. */
export function workCard(work) {
  const name = workName(work);
  if (work.finishedAt === null) return card(work, h("h2", null, name.going), progress(work));
  if (work.error !== null) {
    return card(
      work,
      h("h2", null, name.failed),
      h("div", { class: "notice bad", role: "alert" }, work.error),
    );
  }
  const took = duration(Date.parse(work.finishedAt) - Date.parse(work.startedAt));
  const { result } = work;
  return card(
    work,
    h("h2", null, name.ended),
    whatCameOfIt(work),
    result.notes.map((notice) => h("div", { class: "notice warn" }, notice)),
    result.notLetGo.length === 0
      ? null
      : h(
          "div",
          { class: "notice warn" },
          `Not released, because the change is no longer the same: ${result.notLetGo.map(({ userName }) => userName).join(", ")}.`,
        ),
    work.kind === "dryRun"
      ? h("p", null, h("a", { class: "button", href: planOf(work) }, "Review the plan"))
      : null,
    h("p", { class: "small quiet" }, `It took ${took}.`),
  );
}

function planOf({ id, result }) {
  return pageAddress(result.revert === undefined ? `dry-run/${id}` : `revert/${result.revert.cycleId}`);
}

function card(work, ...content) {
  return h("section", { "aria-label": "Work", "data-key": `work-${work.id}` }, content);
}

function progress({ progress: now }) {
  const text =
    now === null
      ? "starting"
      : `${now.phase}: ${number(now.done)}${now.total === null ? "" : ` of ${number(now.total)}`}`;
  return [
    h("p", { class: "quiet" }, text),
    h("progress", {
      "aria-label": text,
      max: now?.total ?? null,
      value: now?.total ? Math.min(now.done, now.total) : undefined,
    }),
  ];
}

function whatCameOfIt({ kind, decision, result }) {
  if (kind === "dryRun" && result.revert !== undefined) {
    return h(
      "p",
      null,
      `The changes of cycle ${result.revert.cycleId} would be taken back for ${count(result.revert.operations, "account")}.`,
    );
  }
  if (kind === "dryRun") {
    return h("p", null, summaryText(result.summary, "are planned"), wouldBeHeld(result));
  }
  if (kind === "revert" && result.guard.held) {
    return h("p", null, "Nothing was sent, because it exceeds a limit of the guard.");
  }
  const held = result.held > 0 ? `, ${number(result.held)} held` : "";
  const sent = `${count(result.done, "operation")} sent, ${number(result.failed)} failed${held}.`;
  // A newer version of the program may know other kinds.
  if (kind !== "release") return h("p", null, outcomeTag(result.outcome), ` ${sent}`);
  return [
    decision.rejected > 0
      ? h(
          "p",
          null,
          "Rejected changes are not sent while they stay the same. Other changes are sent as usual.",
        )
      : null,
    decision.undone > 0 ? h("p", null, "The guard checks the changes again.") : null,
    h("p", null, `In the cycle that followed: ${sent}`),
  ];
}

const nouns = [
  ["create", "create"],
  ["update", "update"],
  ["deactivate", "deactivation"],
  ["reactivate", "reactivation"],
  ["link", "link"],
];

/** A plan in numbers. @param verb follows the operations: "are planned" */
export function summaryText(summary, verb) {
  const parts = nouns
    .filter(([action]) => summary[action] > 0)
    .map(([action, noun]) => count(summary[action], noun));
  const changes = parts.length === 0 ? "Nothing to do" : `${list(parts)} ${verb}`;
  const rest = [
    `${count(summary.unchanged, "person", "people")} unchanged`,
    `${number(summary.skipped)} skipped`,
  ];
  // Older versions did not count these.
  if ((summary.outOfScope ?? null) !== null)
    rest.push(`${number(summary.outOfScope)} out of scope or deleted`);
  return `${changes}; ${rest.join(", ")}.`;
}

/** The operations of a dry run that the guard would hold. */
export function wouldBeHeld({ held }) {
  return held === 0 ? "" : ` The guard would hold ${count(held, "operation")} until you release them.`;
}

function list(parts) {
  return parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
}
