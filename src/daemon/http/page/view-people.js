import { api } from "./api.js";
import { h, table } from "./dom.js";
import { pageAddress } from "./job.js";
import { count, personLink, tag } from "./words.js";

const shown = 20;

/** Finds people by part of a name, an e-mail address or an id. */
export const peopleView = {
  read: async ({ query, signal }) => {
    const text = textOf(query);
    if (text === "") return null;
    return api(`people?${new URLSearchParams({ text, limit: String(shown) })}`, { signal });
  },
  draw: (found, { query }) => [
    h("h1", null, "Find a person"),
    searchForm(textOf(query)),
    found === null
      ? null
      : h("section", null, peopleList(found.people, found.total - found.people.length, textOf(query))),
  ],
};

function textOf(query) {
  return (query.get("text") ?? "").trim();
}

function searchForm(text) {
  const search = (event) => {
    event.preventDefault();
    const wanted = String(new FormData(event.target).get("text")).trim();
    const next = pageAddress(`people?${new URLSearchParams({ text: wanted })}`);
    if (location.hash === next) dispatchEvent(new HashChangeEvent("hashchange"));
    else location.hash = next;
  };
  return h(
    "form",
    { class: "filters find", onsubmit: search, role: "search" },
    h(
      "label",
      { for: "people-text" },
      "Part of a name, e-mail address or id",
      h("input", { id: "people-text", name: "text", type: "search", value: text, maxlength: 200 }),
    ),
    h("button", { type: "submit", class: "main" }, "Find"),
  );
}

/** The people found, and how many more there are. */
export function peopleList(people, more, text) {
  if (people.length === 0) {
    return h("p", { role: "status" }, `No one has “${text}” in a name, an e-mail address or an id.`);
  }
  return h(
    "div",
    null,
    h(
      "p",
      { role: "status" },
      `${count(people.length + more, "person has", "people have")} “${text}” in a name, an e-mail address or an id.`,
      more > 0 ? ` The closest ${people.length} are shown. Type more of the name to see the others.` : null,
    ),
    table(
      "The closest first",
      ["Name", "User name", "Title, department", "Account"],
      people.map((person) =>
        h(
          "tr",
          null,
          h(
            "td",
            null,
            personLink(person.objectId ?? person.latticeId, person.displayName ?? person.userName),
          ),
          h("td", null, person.userName ?? ""),
          h("td", null, [person.jobTitle, person.department].filter((part) => part !== null).join(", ")),
          h("td", null, standing(person)),
        ),
      ),
    ),
  );
}

function standing({ objectId, latticeId, presence, active }) {
  if (objectId === null) return tag("not linked");
  if (presence === "softDeleted") return tag("in Entra's recycle bin");
  if (presence === "deleted") return tag("deleted in Entra");
  if (presence === null) return tag(latticeId === null ? "in the log only" : "no longer in Entra");
  if (latticeId === null) return tag("no account");
  return active === false ? tag("not active") : active === null ? tag("unknown") : tag("active");
}
