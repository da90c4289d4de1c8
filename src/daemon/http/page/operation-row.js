import { h } from "./dom.js";
import { changeList, personLink, tag } from "./words.js";

/** An operation of a dry run. */
export function operationRow(operation) {
  return h(
    "tr",
    { "data-key": rowKey(operation) },
    h("td", null, personLink(operation.objectId, operation.userName)),
    h(
      "td",
      null,
      tag(operation.action),
      operation.status === "held" ? [" ", tag("would be held")] : null,
      operation.status === "reported" ? [" ", tag("only reported")] : null,
    ),
    h(
      "td",
      null,
      reasonOf(operation),
      operation.status === "held"
        ? operation.heldBecause.map((reason) => h("div", { class: "small quiet" }, `Held: ${reason}`))
        : null,
    ),
    h("td", null, changeList(operation.changes)),
  );
}

/** A held operation, with details that identify its person. @param box the check box that chooses the person */
export function heldRow(operation, box) {
  const { person } = operation;
  return h(
    "tr",
    { "data-key": rowKey(operation) },
    h("td", null, box),
    h(
      "td",
      null,
      personLink(operation.objectId, person?.displayName ?? operation.userName),
      person?.displayName ? h("div", { class: "small quiet" }, operation.userName) : null,
    ),
    h("td", { class: "word" }, person?.jobTitle),
    h("td", { class: "word" }, person?.department),
    h("td", { class: "word" }, person?.manager),
    h("td", null, tag(operation.action), h("div", null, reasonOf(operation))),
    h("td", null, changeList(operation.changes)),
  );
}

function rowKey({ objectId, action, status }) {
  return `operation-${objectId}-${action}-${status ?? "held"}`;
}

function reasonOf({ reason, evidence }) {
  return evidence && evidence.detail !== reason
    ? [reason, h("div", { class: "small quiet" }, evidence.detail)]
    : reason;
}
