// Updates the page in place. An element that stays is the same element: it keeps the focus, its scroll position, its selection,
// and whether its details are open. The known libraries either copy added elements, which loses their listeners, or move the
// elements after an insertion, which loses focus and scroll position.

/** The listeners that `h` sets on elements. They are copied to the element that stays. */
const listeners = ["onclick", "onchange", "oninput", "onsubmit", "ontoggle"];

/**
 * Makes `wanted` the children of `parent`. Siblings that can be added, removed or moved are matched by their attribute
 * `data-key`, the others in their order.
 */
export function patch(parent, wanted) {
  const focused = document.activeElement;
  const within = focused !== null && parent.contains(focused);
  patchChildren(parent, wanted);
  if (!within || document.activeElement === focused) return;
  // Moving an element takes its focus away, so give it back. If the element is gone, `parent` gets the focus.
  if (focused.isConnected) focused.focus({ preventScroll: true });
  else parent.focus({ preventScroll: true });
}

function patchChildren(parent, wanted) {
  const old = [...parent.childNodes];
  const keyed = new Map(old.filter((node) => keyOf(node) !== null).map((node) => [keyOf(node), node]));
  const loose = old.filter((node) => keyOf(node) === null);
  const stay = new Set();
  const children = wanted.map((next) => {
    const match = keyOf(next) === null ? nextLoose(loose, next) : keyed.get(keyOf(next));
    if (match === undefined || stay.has(match) || match.nodeName !== next.nodeName) return next;
    stay.add(match);
    update(match, next);
    return match;
  });
  for (const node of old) if (!stay.has(node)) node.remove();
  let place = parent.firstChild;
  for (const child of children) {
    if (child === place) place = place.nextSibling;
    else parent.insertBefore(child, place);
  }
}

/** The first of `loose` that can become `next`. Those before it are not tried again. */
function nextLoose(loose, next) {
  const index = loose.findIndex(({ nodeName }) => nodeName === next.nodeName);
  if (index === -1) return undefined;
  return loose.splice(0, index + 1).at(-1);
}

function keyOf(node) {
  return node.nodeType === Node.ELEMENT_NODE ? node.getAttribute("data-key") : null;
}

function update(element, next) {
  if (element.nodeType !== Node.ELEMENT_NODE) {
    if (element.nodeValue !== next.nodeValue) element.nodeValue = next.nodeValue;
    return;
  }
  for (const { name, value } of [...next.attributes]) {
    if (element.getAttribute(name) !== value) element.setAttribute(name, value);
  }
  for (const { name } of [...element.attributes]) {
    // The reader decides whether details are open.
    if (!next.hasAttribute(name) && name !== "open") element.removeAttribute(name);
  }
  for (const name of listeners) element[name] = next[name];
  if (element.localName === "input") {
    element.checked = next.checked;
    element.indeterminate = next.indeterminate;
    // Text that the user has typed stays.
    return;
  }
  patchChildren(element, [...next.childNodes]);
}
