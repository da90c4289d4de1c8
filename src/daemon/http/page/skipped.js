import { api } from "./api.js";
import { h } from "./dom.js";
import { moreButton, pagesOf } from "./pager.js";
import { number, personLink } from "./words.js";

const reasons = {
  invalidUserName: "the mapped userName is not a valid e-mail address",
  duplicateUserName: "several people map to the same userName",
  duplicateExternalId: "several people map to the same externalId",
  ambiguousMatch: "several accounts match",
  externalIdConflict: "the account has a different externalId",
  externalIdOfAnother: "the account has another person's externalId",
  linkedToAnother: "the account is linked to another person",
  formerOwner: "the account belongs to a person who has left",
  unlinked: "a person unlinked the account that matches: it is not linked again",
  protectedAccount: "the account is protected: nothing is sent to it",
  managerRing: "several people are one another's managers",
  renameRing: "several people exchange their userNames",
  disabled: "disabled in Entra and without an account",
  actionOff: "the action is switched off in the configuration",
  mappingFailed: "a value cannot be mapped",
  rejected: "rejected by hand",
  removedInLattice: "the account was removed in Lattice",
  accountMissing: "the account cannot be found in Lattice",
  deactivationDelayed: "the deactivation is delayed",
  eventIgnored: "the configuration ignores such an event",
  propertyNotShown: "Entra does not show a property that the decision needs",
  clockInDoubt: "the decision depends on the time, and this machine's clock is wrong",
  leavingUnconfirmed: "may have left, but Entra did not confirm it",
  waitingForRetry: "waiting for a retry",
  putBack: "postponed to a later cycle for a reason that does not concern the person",
};

/** The number of skipped people for each reason. A reason can be opened to show its people. */
export function skippedPart(counts, visit) {
  const codes = Object.entries(counts).sort((left, right) => right[1] - left[1]);
  if (codes.length === 0) return null;
  return h(
    "section",
    { "data-key": "skipped" },
    h("h2", null, "Skipped"),
    codes.map(([code, value]) =>
      h(
        "details",
        {
          "data-key": `code-${code}`,
          ontoggle: ({ currentTarget }) => currentTarget.open && look(code, visit),
        },
        h("summary", null, h("strong", null, number(value)), ` ${reasons[code] ?? code}`),
        peopleOf(code, visit),
      ),
    ),
  );
}

/** Reads the people of a reason when it is opened. They are kept as long as the view is shown. */
async function look(code, visit) {
  const { state } = visit;
  state.skipped ??= {};
  if (state.skipped[code] !== undefined) return;
  state.skipped[code] = pagesOf([], null);
  try {
    const { rows, next } = await readSkipped(code, "", visit.signal);
    state.skipped[code] = pagesOf(rows, next);
  } catch (error) {
    delete state.skipped[code];
    state.problem = visit.refused(error);
  }
  visit.redraw();
}

async function readSkipped(code, after, signal) {
  const query = new URLSearchParams({ code, after, limit: "50" });
  const page = await api(`left-alone?${query}`, { signal });
  return { rows: page.people, next: page.after };
}

function peopleOf(code, visit) {
  const list = visit.state.skipped?.[code];
  if (list === undefined) return null;
  return [
    h(
      "div",
      null,
      list.rows.map((person) =>
        h(
          "p",
          { class: "small", "data-key": `skipped-${person.objectId}` },
          personLink(person.objectId, person.userName),
          `: ${person.reason}`,
        ),
      ),
    ),
    moreButton(visit, list, "Show more", (after) => readSkipped(code, after, visit.signal)),
  ];
}
