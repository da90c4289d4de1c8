import { h, table } from "./dom.js";
import { shortPath, valueText } from "./words.js";

/** How Entra's values are mapped, with the steps of each expression. */
export function mappingSection(mappings) {
  if (mappings.length === 0) return null;
  return h(
    "section",
    { "data-key": "mapping" },
    h("h2", null, "Mapping"),
    table(
      "What Entra's values become",
      [
        "Attribute",
        { text: "From", label: true },
        { text: "Wanted", label: true },
        { text: "In Lattice", label: true },
      ],
      mappings.map(row),
    ),
  );
}

function row({
  attribute,
  origin,
  apply,
  value,
  leftAsIs,
  leftToLattice,
  problem,
  current,
  currentUserName,
  steps,
}) {
  return h(
    "tr",
    { "data-key": `mapping-${attribute}` },
    h("th", { scope: "row", title: attribute }, shortPath(attribute)),
    h(
      "td",
      { class: "small quiet" },
      origin,
      // A plain attribute or a constant is its own explanation.
      steps === null || steps.parts.length === 0
        ? null
        : h("details", null, h("summary", null, "Step by step"), h("ul", { class: "facts" }, step(steps))),
    ),
    h(
      "td",
      null,
      leftAsIs ? "not changed" : valueText(value),
      apply === "onCreate" ? h("div", { class: "small quiet" }, "sent once, on create") : null,
      leftToLattice ? h("div", { class: "small quiet" }, "left to Lattice: not sent") : null,
      problem === null ? null : h("div", { class: "notice bad small" }, problem),
    ),
    h("td", currentUserName === undefined ? null : { title: current }, currentUserName ?? valueText(current)),
  );
}

/** One part of an expression, and its own parts below it. */
function step({ kind, expression, evaluated, value, ignored, problem, parts }) {
  if (kind === "constant") return null;
  const inner = parts.map(step).filter((part) => part !== null);
  return h(
    "li",
    null,
    h("code", null, expression),
    " → ",
    evaluated ? (problem ?? (ignored ? "not changed" : h("strong", null, quoted(value)))) : "not evaluated",
    inner.length === 0 ? null : h("ul", { class: "facts" }, inner),
  );
}

/** A text in quotation marks, so that an empty text and blanks can be seen. */
function quoted(value) {
  return typeof value === "string" && value !== "[Redact]" ? JSON.stringify(value) : valueText(value);
}
