import { api, Refused } from "./api.js";
import { h, say } from "./dom.js";
import { logView } from "./view-log.js";
import { nowView } from "./view-now.js";
import { peopleView } from "./view-people.js";
import { personView } from "./view-person.js";
import { dryRunView, planView } from "./view-plan.js";
import { signInView } from "./view-sign-in.js";
import { trendsView } from "./view-trends.js";

// One page; the part after # says what it shows. Each view is given a signal that aborts when it is left.

const views = [
  { pattern: /^$/, title: "Now", nav: "", show: nowView },
  { pattern: /^trends$/, title: "30 days", nav: "trends", show: trendsView },
  { pattern: /^log$/, title: "Log", nav: "log", show: logView },
  { pattern: /^people$/, title: "Find a person", nav: "people", show: peopleView },
  { pattern: /^people\/(.+)$/, title: "Person", nav: "people", show: personView },
  { pattern: /^plans\/(.+)$/, title: "Held plan", nav: "", show: planView },
  { pattern: /^dry-run\/(.+)$/, title: "Dry run", nav: "", show: dryRunView },
];
const links = [
  ["", "Now"],
  ["trends", "30 days"],
  ["log", "Log"],
  ["people", "People"],
];

let leave = new AbortController();
let session = { asks: "nothing", signedIn: true, by: "open" };

async function show() {
  leave.abort();
  leave = new AbortController();
  const { signal } = leave;
  const [path = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const main = document.getElementById("main");
  const view = views.find(({ pattern }) => pattern.test(path));
  try {
    session = await api("session", { signal });
    if (!session.signedIn) {
      header(null);
      main.replaceChildren(signInView(session, show));
      document.title = "Sign in – azure-lattice-sync";
      return;
    }
    header(view?.nav ?? null);
    if (view === undefined) {
      main.replaceChildren(
        h("h1", null, "There is nothing here"),
        h("a", { href: "#/" }, "To the dashboard"),
      );
      return;
    }
    document.title = `${view.title} – azure-lattice-sync`;
    const parameter = decodeURIComponent(view.pattern.exec(path)?.[1] ?? "");
    const content = await view.show({ parameter, query: new URLSearchParams(query), signal, reload: show });
    if (signal.aborted) return;
    main.replaceChildren(...content);
    if (moved) main.focus({ preventScroll: true });
    if (moved) say(document.title);
  } catch (error) {
    if (signal.aborted) return;
    if (error instanceof Refused && error.status === 401) {
      session = { ...session, signedIn: false };
      header(null);
      main.replaceChildren(signInView(session, show));
      return;
    }
    header(view?.nav ?? null);
    main.replaceChildren(
      h("h1", null, "This could not be shown"),
      h(
        "div",
        { class: "notice bad", role: "alert" },
        error instanceof Refused ? error.message : String(error),
      ),
      h("button", { type: "button", onclick: show }, "Try again"),
    );
  } finally {
    moved = true;
  }
}

/** The first view leaves the focus where the browser has put it. */
let moved = false;

function header(current) {
  const signOut = async () => {
    await api("session", { method: "DELETE" });
    show();
  };
  document.getElementById("top").replaceChildren(
    h(
      "div",
      null,
      h("span", { class: "name" }, h("img", { src: iconAddress(), alt: "" }), "azure-lattice-sync"),
      current === null
        ? null
        : h(
            "nav",
            { "aria-label": "Views" },
            links.map(([path, text]) =>
              h("a", { href: `#/${path}`, "aria-current": current === path ? "page" : null }, text),
            ),
          ),
      current !== null && session.by === "session"
        ? h("button", { type: "button", onclick: signOut }, "Sign out")
        : null,
      current !== null && session.name ? h("span", { class: "quiet small" }, session.name) : null,
    ),
  );
}

function iconAddress() {
  return document.querySelector('link[rel="icon"]').href;
}

addEventListener("hashchange", show);
show();
