import { h } from "./dom.js";
import { moment, tag } from "./words.js";

const sources = {
  all: "Everyone in the directory is in scope",
  assigned: "In scope: people assigned to the application",
  groups: "In scope: members of the groups",
};

/** Why a person is in scope or not: membership, lists, and each clause of each filter. */
export function scopeSection(scope) {
  if (scope === null) return null;
  const { mode, configured, nested, member, through, guest, guestsAllowed, decidedBy, filters } = scope;
  return h(
    "section",
    { "data-key": "scope" },
    h("h2", null, "Scope"),
    h(
      "p",
      null,
      tag(scope.inScope ? "in scope" : "out of scope"),
      scope.rejection === null ? null : ` ${scope.rejection}`,
    ),
    h(
      "ul",
      { class: "facts" },
      h(
        "li",
        null,
        sources[mode],
        configured.length === 0 ? null : ` ${configured.map((name) => `“${name}”`).join(", ")}`,
        ".",
        mode === "all" ? null : nested ? " Nested groups count." : " Nested groups do not count.",
      ),
      mode === "all"
        ? null
        : h(
            "li",
            null,
            answer(member),
            member ? "is a member" : "is not a member",
            through === null || through.length === 0 ? null : ` through ${through.join(", ")}`,
          ),
      guest
        ? h(
            "li",
            null,
            answer(guestsAllowed),
            "is a guest; guests are ",
            guestsAllowed ? "" : "not ",
            "allowed",
          )
        : null,
      decidedBy === "include" || decidedBy === "exclude"
        ? h("li", null, `The list entra.scope.${decidedBy} decides, regardless of the filters.`)
        : null,
      filters.map((filter, index) => filterItem(filter, index)),
    ),
    filters.length > 1 ? h("p", { class: "small quiet" }, "It is enough to pass one filter.") : null,
  );
}

function filterItem({ name, passes, clauses }, index) {
  return h(
    "li",
    null,
    answer(passes),
    `filter ${name === null ? index + 1 : `“${name}”`} ${passes ? "is passed" : "is not passed"}`,
    h(
      "ul",
      { class: "facts" },
      clauses.map((clause) => h("li", null, answer(clause.holds), clauseText(clause))),
    ),
  );
}

function clauseText({ attribute, operator, expected, actual, changesAt }) {
  const wanted = expected === null ? "" : ` “${expected}”`;
  const has =
    attribute === "memberOf"
      ? actual === null
        ? "the person is not a member"
        : "the person is a member"
      : actual === null
        ? "the person has no value"
        : `the person has “${actual}”`;
  return [
    h("span", { class: "attribute" }, attribute),
    ` ${operator}${wanted}: ${has}`,
    changesAt === null ? null : ["; this changes on ", moment(changesAt)],
  ];
}

function answer(holds) {
  return [h("span", { class: `tag ${holds ? "good" : "bad"}` }, holds ? "yes" : "no"), " "];
}
