import { h } from "./dom.js";
import { currentJob, pageAddress } from "./job.js";
import { patch } from "./patch.js";

const links = [
  ["", "Now"],
  ["trends", "30 days"],
  ["log", "Log"],
  ["people", "People"],
];

/**
 * The top of the page.
 * @param current the part of the address that names the view; null if the user is not signed in, or there is no such view
 */
export function header(current, session, signOut) {
  const signedIn = session.signedIn;
  patch(document.getElementById("top"), [
    h(
      "div",
      null,
      h("span", { class: "name" }, h("img", { src: iconAddress(), alt: "" }), "azure-lattice-sync"),
      signedIn && session.jobs ? jobPart() : null,
      signedIn && !(session.jobs && currentJob() === null)
        ? h(
            "nav",
            { "aria-label": "Views" },
            links.map(([path, text]) =>
              h("a", { href: pageAddress(path), "aria-current": current === path ? "page" : null }, text),
            ),
          )
        : null,
      signedIn && session.by === "session"
        ? h("button", { type: "button", onclick: signOut }, "Sign out")
        : null,
      signedIn && session.name ? h("span", { class: "quiet small" }, session.name) : null,
    ),
  ]);
}

/** The job whose pages are shown, and the way to the others. */
function jobPart() {
  const job = currentJob();
  return h(
    "nav",
    { "aria-label": "Jobs" },
    h("a", { href: "#/", "aria-current": job === null ? "page" : null }, "Jobs"),
    job === null ? null : h("a", { href: pageAddress("") }, h("strong", null, job)),
  );
}

function iconAddress() {
  return document.querySelector('link[rel="icon"]').href;
}
