// Brings what is shown up to date in place. An element that stays is the same element: it keeps the focus, where it is scrolled
// to, what is selected in it, and whether its details are open. The ready-made libraries either copy what they add, which
// loses its listeners, or move what follows an insertion, which loses focus and scroll position.

/** Set on elements by `h`, and taken over with everything else that is new. */
const listeners = ["onclick", "onchange", "oninput", "onsubmit", "ontoggle"];

/**
 * Makes `wanted` the children of `parent`. Siblings that can come, go or move are told apart by their attribute `data-key`;
 * the others are matched in their order.
 */
export function patch(parent, wanted) {
  const focused = document.activeElement;
  const within = focused !== null && parent.contains(focused);
  patchChildren(parent, wanted);
  if (!within || document.activeElement === focused) return;
  // It was moved, or it is gone: then reading goes on where the page begins.
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

/** The first of `loose` that can become `next`; those before it are passed over for good. */
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
    // Details are opened and closed by whoever reads them.
    if (!next.hasAttribute(name) && name !== "open") element.removeAttribute(name);
  }
  for (const name of listeners) element[name] = next[name];
  if (element.localName === "input") {
    element.checked = next.checked;
    element.indeterminate = next.indeterminate;
    // What is typed stays.
    return;
  }
  patchChildren(element, [...next.childNodes]);
}
