import { h } from "./dom.js";

/** A list that is read page after page: `rows` so far, and what the next page begins with; null where there is none. */
export function pagesOf(rows, next) {
  return { rows, next, busy: false, problem: null };
}

/**
 * The button that shows the next page of `list`, and is hidden when there is none.
 * @param read takes what the page begins with, and gives its rows and what the one after it begins with
 */
export function moreButton(visit, list, text, read) {
  const press = async (event) => {
    if (list.busy) return;
    const button = event.currentTarget;
    list.busy = true;
    list.problem = null;
    visit.redraw();
    const shown = list.rows.length;
    try {
      const page = await read(list.next);
      list.rows.push(...page.rows);
      list.next = page.next;
    } catch (error) {
      list.problem = visit.refused(error);
    }
    list.busy = false;
    visit.redraw();
    // Whoever reads on by keyboard goes on at the first new row: the button may have gone away.
    if (list.rows.length > shown) newRow(button, shown)?.focus({ preventScroll: true });
  };
  return h(
    "div",
    { "data-more": "" },
    h("div", { role: "alert" }, list.problem === null ? null : h("p", { class: "notice bad" }, list.problem)),
    h(
      "button",
      {
        type: "button",
        hidden: list.next === null,
        "aria-disabled": list.busy ? "true" : null,
        onclick: press,
      },
      text,
    ),
  );
}

function newRow(button, index) {
  const rows = button
    .closest("[data-more]")
    .previousElementSibling?.querySelectorAll("tbody > tr, :scope > p");
  return rows?.[index]?.querySelector("a");
}
