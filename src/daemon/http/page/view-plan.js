import { api } from "./api.js";
import { decide, deciding, decisionParts } from "./decide.js";
import { h, table } from "./dom.js";
import { pageAddress } from "./job.js";
import { heldRow } from "./operation-row.js";
import { chooser, chosenText } from "./plan-choose.js";
import { resume } from "./watch.js";
import { count, moment, mostRejections, number } from "./words.js";
import { summaryText } from "./work-card.js";

const pageSize = 200;
/** The rows that are shown at first. All are read at once, because the user chooses among all people. */
const shownAtOnce = 100;

/** A held plan. People in it can be released or rejected one by one. */
export const planView = {
  gone: "This plan is no longer kept.",
  read: async (visit) => {
    const { parameter: planId, signal, state } = visit;
    const address = `plans/${encodeURIComponent(planId)}`;
    let page = await api(`${address}?limit=${pageSize}`, { signal });
    const plan = { ...page };
    while (page.next !== null) {
      const { afterWave, afterId } = page.next;
      page = await api(`${address}?limit=${pageSize}&afterWave=${afterWave}&afterId=${afterId}`, { signal });
      plan.held = [...plan.held, ...page.held];
      plan.moreRejections ||= page.moreRejections;
    }
    plan.rejected = plan.held.filter(({ rejected }) => rejected).length;
    plan.held = plan.held.filter(({ rejected }) => !rejected);
    state.shown ??= shownAtOnce;
    // No decision can be made about a person who is no longer held.
    const held = new Set(plan.held.map(({ objectId }) => objectId));
    state.chosen = new Set([...(state.chosen ?? [])].filter((objectId) => held.has(objectId)));
    resume(visit);
    return plan;
  },
  draw: (plan, visit) => {
    return [
      h("h1", null, "Held plan"),
      h(
        "p",
        { class: "quiet" },
        `${plan.cycle[0].toUpperCase()}${plan.cycle.slice(1)} cycle of `,
        moment(plan.startedAt),
        ". ",
        summaryText(plan.summary, "were planned"),
      ),
      h(
        "div",
        { class: "notice warn", "data-key": "why" },
        h(
          "ul",
          null,
          [...(plan.guard?.reasons ?? []), ...(plan.guard?.notes ?? [])].map((line) => h("li", null, line)),
        ),
      ),
      ...decisionParts(visit),
      plan.rejected === 0
        ? null
        : h(
            "p",
            { "data-key": "rejected" },
            `${count(plan.rejected, "operation")} of this plan ${plan.rejected === 1 ? "was" : "were"} rejected. `,
            h("a", { href: pageAddress("rejected") }, "Review or undo"),
          ),
      plan.moreRejections
        ? h(
            "p",
            { class: "notice warn", "data-key": "more" },
            `Only the newest ${number(mostRejections)} rejected changes were compared with this plan. A change that was rejected before them is shown as held.`,
          )
        : null,
      plan.held.length === 0 ? nothingHeld() : heldPeople(plan, visit),
    ];
  },
};

function nothingHeld() {
  return h(
    "section",
    { "data-key": "nothing" },
    h("p", null, "This plan no longer holds anything."),
    h("a", { class: "button", href: pageAddress("") }, "To the dashboard"),
  );
}

function heldPeople(plan, visit) {
  const { state } = visit;
  const choose = (operation) =>
    h("input", {
      type: "checkbox",
      "aria-label": `Choose ${operation.userName}`,
      checked: state.chosen.has(operation.objectId),
      onchange: ({ currentTarget }) => {
        if (currentTarget.checked) state.chosen.add(operation.objectId);
        else state.chosen.delete(operation.objectId);
        visit.redraw();
      },
    });
  return h(
    "section",
    { "data-key": "held" },
    chooser(plan.held, visit),
    table(
      "What is held",
      [
        "Choose",
        "Person",
        { text: "Title", label: true },
        { text: "Department", label: true },
        { text: "Manager", label: true },
        "What and why",
        "What would change",
      ],
      plan.held.slice(0, state.shown).map((operation) => heldRow(operation, choose(operation))),
    ),
    showMore(plan, visit),
    actions(plan, visit),
  );
}

function showMore(plan, visit) {
  const { state } = visit;
  const press = ({ currentTarget }) => {
    const first = state.shown;
    const { previousElementSibling: list } = currentTarget;
    state.shown += shownAtOnce;
    visit.redraw();
    list.querySelectorAll("tbody > tr")[first]?.querySelector("input")?.focus({ preventScroll: true });
  };
  return h(
    "button",
    { type: "button", hidden: plan.held.length <= state.shown, onclick: press },
    "Show more",
  );
}

function actions(plan, visit) {
  const { state } = visit;
  const busy = deciding(visit);
  const names = [...state.chosen];
  const chosen = plan.held.filter(({ objectId }) => state.chosen.has(objectId));
  const button = (text, tone, operations, body, question) => {
    const possible = operations.length > 0 && !busy;
    return h(
      "button",
      {
        type: "button",
        class: tone,
        "aria-disabled": possible ? null : "true",
        onclick: () => {
          if (possible && confirm(question(operations)))
            decide(visit, plan.planId, { ...body, ...why(state) });
        },
      },
      text,
    );
  };
  return h(
    "div",
    { class: "sticky row", "data-key": "actions" },
    h(
      "label",
      // Typed text stays in its element. After a decision this is another element, which is empty.
      { class: "small", "data-key": `reason-${state.decided ?? 0}` },
      "Reason ",
      h("input", {
        type: "text",
        maxlength: 500,
        placeholder: "optional",
        value: state.reason ?? "",
        oninput: ({ currentTarget }) => {
          state.reason = currentTarget.value;
        },
      }),
    ),
    button("Release chosen", "main", chosen, { only: names }, releaseQuestion),
    button("Reject chosen", "danger", chosen, { reject: names }, rejectQuestion),
    button("Release all", null, plan.held, {}, releaseQuestion),
    h("p", { class: "small quiet", role: "status" }, chosenText(plan.held, state)),
  );
}

function releaseQuestion(operations) {
  const people = peopleText(operations);
  return operations.every(({ action }) => action === "deactivate")
    ? `Deactivate ${people} in Lattice now?`
    : `Send the held changes of ${people} to Lattice now?`;
}

function rejectQuestion(operations) {
  return `Reject the held changes of ${peopleText(operations)}? They are not sent while they stay the same. Other changes of these people are sent as usual. You can undo the rejection.`;
}

function peopleText(operations) {
  return count(new Set(operations.map(({ objectId }) => objectId)).size, "person", "people");
}

/** The reason that the user typed, as a field of the request. */
function why({ reason = "" }) {
  return reason.trim() === "" ? {} : { reason: reason.trim() };
}
