import { h } from "./dom.js";

/** A list that is read page by page: the `rows` so far, and the start of the next page; null if there is none. */
export function pagesOf(rows, next) {
  return { rows, next, busy: false, problem: null };
}

/**
 * The button that shows the next page of `list`. It is hidden if there is none.
 * @param read takes the start of a page, and gives its rows and the start of the page after it
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
    // Focus the first new row for keyboard users, because the button may be gone.
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
