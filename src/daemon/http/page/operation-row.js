import { h } from "./dom.js";
import { changeList, personLink, tag } from "./words.js";

/** An operation of a plan; `box` is what chooses the person, null where nobody is chosen. */
export function operationRow(operation, box) {
  return h(
    "tr",
    { "data-key": `operation-${operation.objectId}-${operation.action}` },
    box === null ? null : h("td", null, box),
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
      operation.reason,
      operation.evidence && operation.evidence.detail !== operation.reason
        ? h("div", { class: "small quiet" }, operation.evidence.detail)
        : null,
      operation.status === "held"
        ? operation.heldBecause.map((reason) => h("div", { class: "small quiet" }, `Held: ${reason}`))
        : null,
    ),
    h("td", null, changeList(operation.changes)),
  );
}
