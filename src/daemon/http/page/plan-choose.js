import { h } from "./dom.js";
import { count, number } from "./words.js";

/** Groups of held people that can be chosen at once: all, and those with the same reason or department. */
export function chooser(held, visit) {
  const { state } = visit;
  const groups = groupsOf(held);
  const chosenGroup = (event) =>
    event.currentTarget.closest("[data-chooser]").querySelector("select").selectedOptions[0];
  const change = (act) => (event) => {
    const option = chosenGroup(event);
    const group = groups.flatMap(({ members }) => members).find(({ key }) => key === option?.value);
    for (const objectId of group?.people ?? []) act(objectId);
    visit.redraw();
  };
  return h(
    "div",
    { class: "row", "data-chooser": "", role: "group", "aria-label": "Choose by reason or department" },
    h(
      "label",
      { for: "group" },
      "Several people",
      h(
        "select",
        { id: "group" },
        groups.map(({ title, members }) =>
          title === null
            ? members.map(option)
            : h("optgroup", { label: title, "data-key": title }, members.map(option)),
        ),
      ),
    ),
    h("button", { type: "button", onclick: change((objectId) => state.chosen.add(objectId)) }, "Choose"),
    h(
      "button",
      { type: "button", onclick: change((objectId) => state.chosen.delete(objectId)) },
      "Leave out",
    ),
  );
}

/** The number of chosen people, and whether all of them are visible. */
export function chosenText(held, { chosen, shown }) {
  if (chosen.size === 0) return "No one is chosen.";
  const unseen = new Set(held.slice(shown).map(({ objectId }) => objectId));
  for (const { objectId } of held.slice(0, shown)) unseen.delete(objectId);
  const below = [...chosen].filter((objectId) => unseen.has(objectId)).length;
  const people = `${count(chosen.size, "person", "people")} chosen`;
  return below === 0 ? `${people}.` : `${people}, ${number(below)} of them further down.`;
}

function option({ key, text, people }) {
  return h("option", { value: key, "data-key": key }, `${text} (${number(people.length)})`);
}

function groupsOf(held) {
  const everybody = [...new Set(held.map(({ objectId }) => objectId))];
  const limits = by("Limit of the guard", held, ({ heldBecause }) => heldBecause);
  return [
    { title: null, members: [{ key: "everybody", text: "Everyone who is held", people: everybody }] },
    by("Reason", held, ({ reason, evidence }) => [evidence?.detail ?? reason]),
    // With a single limit, the group would be the same as all.
    ...(limits.members.length > 1 ? [limits] : []),
    by("Department", held, ({ person }) => [person?.department ?? "no department"]),
  ];
}

function by(title, held, textsOf) {
  const people = new Map();
  for (const operation of held) {
    for (const text of textsOf(operation)) {
      people.set(text, (people.get(text) ?? new Set()).add(operation.objectId));
    }
  }
  const members = [...people].map(([text, ids]) => ({ key: `${title}: ${text}`, text, people: [...ids] }));
  return { title, members: members.sort((one, other) => other.people.length - one.people.length) };
}
