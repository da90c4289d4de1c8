import { api } from "./api.js";
import { decide, deciding, decisionParts } from "./decide.js";
import { h } from "./dom.js";
import { pageAddress } from "./job.js";
import { accountSection } from "./person-account.js";
import { mappingSection } from "./person-mapping.js";
import { scopeSection } from "./person-scope.js";
import { entries, readEntries } from "./view-log.js";
import { peopleList } from "./view-people.js";
import { resume } from "./watch.js";
import { byWhom, changeList, count, moment, sentence, tag, valueText } from "./words.js";

/** One person: the same explanation as by the command `user`, and the whole log of the person. */
export const personView = {
  read: async (visit) => {
    const { parameter: person, signal } = visit;
    const explanation = await api(`people/${encodeURIComponent(person)}`, { signal });
    if (explanation.candidates.length > 0) return { explanation, log: null };
    const log = await readEntries(logOf(explanation, person), signal);
    resume(visit);
    return { explanation, log };
  },
  draw: ({ explanation, log }, visit) => {
    const { parameter: person } = visit;
    const { source, candidates, moreCandidates } = explanation;
    if (candidates.length > 0) {
      return [
        h("h1", null, "Which person?"),
        h("section", null, peopleList(candidates, moreCandidates, person)),
      ];
    }
    return [
      h(
        "h1",
        null,
        source?.displayName ?? source?.userPrincipalName ?? explanation.account?.userName ?? person,
      ),
      source === null
        ? null
        : h("p", { class: "quiet" }, source.userPrincipalName ?? "", " · ", source.objectId),
      explanation.summary.length === 0
        ? null
        : h(
            "div",
            { class: "notice", "data-key": "summary" },
            explanation.summary.map((line) => h("p", null, line)),
          ),
      decision(explanation.decision),
      standing(explanation.standing),
      undoReject(explanation, visit),
      decisions(explanation.decisions ?? []),
      accountSection(explanation, visit),
      scopeSection(explanation.scope),
      mappingSection(explanation.mappings),
      source === null
        ? null
        : attributes("In Entra", [
            ...source.attributes.map(({ name, value }) => [name, value]),
            ["manager", managerText(source)],
          ]),
      explanation.account === null
        ? null
        : attributes(
            "In Lattice",
            explanation.account.values.map((one) => [one.attribute, accountValue(one)]),
            explanation.account.latticeId,
          ),
      h(
        "section",
        { "data-key": "log" },
        h("h2", null, "Log"),
        entries(visit, log, logOf(explanation, person)),
      ),
    ];
  },
};

/** Decisions about held changes of the person. */
function decisions(list) {
  if (list.length === 0) return null;
  return h(
    "section",
    { "data-key": "decisions" },
    h("h2", null, "Decisions"),
    h(
      "ul",
      null,
      list.map((one) =>
        h(
          "li",
          { "data-key": `${one.at}-${one.what}` },
          moment(one.at),
          ` ${one.what === "undone" ? "rejection undone" : one.what} ${byWhom(one)}`,
        ),
      ),
    ),
  );
}

function logOf({ source }, person) {
  return { person: source?.objectId ?? person };
}

const kinds = { unchanged: "Nothing to do:", skipped: "Skipped:", ignored: "Out of scope:", operation: "" };

function decision(decided) {
  if (decided === null) return null;
  return h(
    "section",
    { "data-key": "decision" },
    h("h2", null, "What the next cycle does"),
    h(
      "p",
      null,
      decided.action === null ? h("strong", null, kinds[decided.kind]) : tag(decided.action),
      ` ${decided.reason}`,
    ),
    decided.evidence === null || decided.evidence.detail === decided.reason
      ? null
      : h("p", { class: "quiet" }, decided.evidence.detail),
    changeList(decided.changes),
    decided.deferred === null
      ? null
      : h(
          "div",
          { class: "notice warn" },
          `Due, but not done now: ${decided.deferred.action}, ${decided.deferred.reason}`,
          changeList(decided.deferred.changes),
        ),
    decided.reported === null
      ? null
      : h(
          "div",
          { class: "notice" },
          "Edited by hand in Lattice; this is only reported:",
          changeList(decided.reported),
        ),
    decided.waitsForManager
      ? h("p", null, "The manager has no account yet. The manager is set when the account exists.")
      : null,
  );
}

function standing(stands) {
  if (stands === null) return null;
  const lines = [
    stands.retry === null
      ? null
      : h(
          "div",
          { class: "notice bad" },
          `Failed ${count(stands.retry.attempts, "time")}: ${sentence(stands.retry.message)} Next try: `,
          moment(stands.retry.nextTryAt),
        ),
    stands.heldBy === null
      ? null
      : h(
          "div",
          { class: "notice warn" },
          "Held by the guard: ",
          h(
            "a",
            { href: pageAddress(`plans/${encodeURIComponent(stands.heldBy.planId)}`) },
            "review the plan",
          ),
          h(
            "ul",
            null,
            stands.heldBy.reasons.map((reason) => h("li", null, reason)),
          ),
        ),
    stands.putBack === null
      ? null
      : h("div", { class: "notice warn" }, "Postponed by the last cycle: ", stands.putBack),
    stands.rejectedAt === null
      ? null
      : h(
          "div",
          { class: "notice warn" },
          "Rejected, and not sent while the change stays the same: ",
          h(
            "ul",
            null,
            stands.rejected.map((one) =>
              h("li", null, `${one.what} `, moment(one.rejectedAt), ` ${byWhom(one)}`),
            ),
          ),
        ),
  ].filter((line) => line !== null);
  return lines.length === 0 ? null : h("div", { "data-key": "standing" }, lines);
}

/** Undoes the rejections of the person: the next cycle judges the changes again. */
function undoReject({ standing: stands, source }, visit) {
  const [rejected] = stands?.rejected ?? [];
  const button =
    rejected === undefined || source === null
      ? null
      : h(
          "button",
          {
            type: "button",
            "aria-disabled": deciding(visit) ? "true" : null,
            onclick: () => decide(visit, rejected.planId, { undoReject: [source.objectId] }),
          },
          "Undo the rejection",
        );
  return h("div", { "data-key": "undo", class: "block" }, decisionParts(visit), button);
}

function attributes(title, pairs, id = null) {
  return h(
    "section",
    { "data-key": `attributes-${title}` },
    h(
      "details",
      null,
      h("summary", null, id === null ? title : `${title} (${id})`),
      h(
        "dl",
        null,
        pairs.map(([name, value]) => [h("dt", null, name), h("dd", null, valueText(value))]),
      ),
    ),
  );
}

function managerText({ manager }) {
  if (manager === null) return null;
  const name = manager.userPrincipalName ?? manager.objectId;
  return manager.latticeId === null ? `${name} (no Lattice account)` : name;
}

function accountValue({ value, confirmed, sent }) {
  const text = valueText(value);
  if (confirmed !== undefined) return `${text} (edited by hand; was ${valueText(confirmed)})`;
  return sent === undefined ? text : `${text} (Lattice's form of ${valueText(sent)})`;
}
