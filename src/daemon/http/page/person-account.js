import { api } from "./api.js";
import { h } from "./dom.js";
import { byWhom, moment } from "./words.js";

/** People's decisions about the account of a user, and the decisions that can be made. */
export function accountSection({ source, account, linkDecisions = [] }, visit) {
  if (source === null && account === null) return null;
  const { state } = visit;
  const made = linkDecisions.map((one) =>
    h(
      "li",
      { "data-key": `${one.what}-${one.latticeId}` },
      `${one.userName} (${one.latticeId}) was ${one.what} `,
      moment(one.at),
      ` ${byWhom(one)}`,
    ),
  );
  return h(
    "section",
    { "data-key": "account" },
    h("h2", null, "Account"),
    account === null || account.protection === null
      ? null
      : h("p", null, `Protected: nothing is sent to it. ${protectedText(account.protection)}`),
    made.length === 0 ? null : h("ul", null, made),
    h(
      "details",
      null,
      h("summary", null, "Decide about the account"),
      h("div", { class: "row" }, field("reason", "Reason ", state), ...actions(source, account, visit)),
    ),
    h(
      "div",
      { role: "alert", "data-key": "account-problem" },
      state.accountProblem ? h("div", { class: "notice bad" }, state.accountProblem) : null,
    ),
  );
}

function protectedText({ by, reason, at }) {
  if (at === undefined) return "The configuration (matching.protected) lists it.";
  return byWhom({ by, reason });
}

function actions(source, account, visit) {
  const { state } = visit;
  const found = [];
  if (account !== null) {
    const about = `accounts/${encodeURIComponent(account.latticeId)}`;
    if (account.protection === null) found.push(button("Protect", `${about}/protect`, visit));
    else if (account.protection.at !== undefined)
      found.push(button("End the protection", `${about}/unprotect`, visit));
  }
  if (source === null) return found;
  const about = `people/${encodeURIComponent(source.objectId)}`;
  if (account !== null && account.linkedTo === source.objectId) {
    found.push(button("Unlink", `${about}/unlink`, visit));
  } else {
    found.push(
      field("account", "Lattice id or userName ", state),
      button("Link to this account", `${about}/link`, visit, () => ({ account: state.account ?? "" })),
    );
  }
  return found;
}

function field(name, label, state) {
  return h(
    "label",
    // Typed text stays in its element. After a decision this is another element, which is empty.
    { class: "small", "data-key": `${name}-${state.accountDecided ?? 0}` },
    label,
    h("input", {
      type: "text",
      maxlength: 500,
      // Until the page shows a decision, text for the next one would be sent with neither of them.
      readonly: state.accountBusy ? "" : null,
      value: state[name] ?? "",
      oninput: ({ currentTarget }) => {
        state[name] = currentTarget.value;
      },
    }),
  );
}

/** @param more further fields of the request */
function button(text, address, visit, more = () => ({})) {
  const { state } = visit;
  const decide = async () => {
    if (state.accountBusy) return;
    state.accountBusy = true;
    visit.redraw();
    try {
      await api(address, { method: "POST", body: { reason: state.reason ?? "", ...more() } });
      Object.assign(state, { reason: "", account: "", accountProblem: null });
      state.accountDecided = (state.accountDecided ?? 0) + 1;
    } catch (error) {
      state.accountProblem = visit.refused(error);
    }
    await visit.reload();
    state.accountBusy = false;
    visit.redraw();
  };
  const busy = state.accountBusy ? "true" : null;
  return h("button", { type: "button", "aria-disabled": busy, onclick: decide }, text);
}
