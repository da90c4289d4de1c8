// Makes elements from data. Text is always set as text, so that text from a directory is never read as HTML.

const setAsProperties = new Set(["value", "checked", "indeterminate", "disabled"]);

/**
 * @param {string} tag
 * @param {Record<string, unknown> | null} properties attributes; `onclick` and the like: listeners; `class`
 * @param {...unknown} children elements, texts, lists of them; null and false are left out
 */
export function h(tag, properties, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    // A listener is set as a property, so that an element that is kept can get the new one.
    if (typeof value === "function" || setAsProperties.has(name)) element[name] = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children) {
    if (Array.isArray(child)) append(element, child);
    else if (child !== null && child !== undefined && child !== false) {
      element.append(child instanceof Node ? child : document.createTextNode(shown(child)));
    }
  }
}

/** Makes characters visible that reverse the text or cannot be seen, as `src/domain/visible.ts` does. */
function shown(value) {
  return String(value).replaceAll(
    /(?!(?<=\p{Extended_Pictographic})\ufe0f)(?!(?<=\p{Script=Han})[\u{e0100}-\u{e01ef}])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}]/gu,
    (character) => {
      const digits = (character.codePointAt(0) ?? 0).toString(16).padStart(4, "0");
      return digits.length > 4 ? `\\u{${digits}}` : `\\u${digits}`;
    },
  );
}

/** Announces a text to screen readers. */
export function say(text) {
  const live = document.getElementById("live");
  if (live !== null) live.textContent = text;
}

/**
 * @param heads texts, or objects with `text`, `class` and `label`. `label`: a narrow window stacks the cells of a row without
 * heads, and shows the text before the cell
 */
export function table(caption, heads, rows, { stack = true } = {}) {
  const labels = heads.map((head) => (head.label === true ? head.text : null));
  for (const row of rows.flat()) {
    labels.forEach((label, index) => {
      if (label !== null) row.children[index]?.setAttribute("data-label", label);
    });
  }
  return h(
    "div",
    {
      class: "scroll",
      tabindex: stack ? null : 0,
      role: stack ? null : "region",
      "aria-label": stack ? null : caption,
    },
    h(
      "table",
      { class: stack ? "stack" : null },
      h("caption", null, caption),
      h(
        "thead",
        null,
        h(
          "tr",
          null,
          heads.map((head) =>
            typeof head === "string"
              ? h("th", { scope: "col" }, head)
              : h("th", { scope: "col", class: head.class }, head.text),
          ),
        ),
      ),
      h("tbody", null, rows),
    ),
  );
}
