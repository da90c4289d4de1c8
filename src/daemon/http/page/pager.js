import { h } from "./dom.js";

/**
 * A button that shows further pages, and is hidden when there are none.
 * @param next what the next page begins with; null where there is none
 * @param read takes `next`, puts the page where it belongs and gives its rows and what the one after it begins with
 */
export function pager(text, next, read) {
  let after = next;
  const problem = h("div", { role: "alert" });
  const button = h("button", { type: "button", hidden: next === null }, text);
  button.addEventListener("click", async () => {
    button.disabled = true;
    problem.replaceChildren();
    try {
      const page = await read(after);
      after = page.next;
      // Whoever reads on by keyboard goes on at the first new row: the button may go away.
      page.rows[0]?.querySelector("a")?.focus({ preventScroll: true });
    } catch (error) {
      problem.replaceChildren(h("div", { class: "notice bad" }, error.message));
    }
    button.disabled = false;
    button.hidden = after === null;
  });
  return h("div", null, problem, button);
}
