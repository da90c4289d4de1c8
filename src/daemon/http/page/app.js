import { api, Refused } from "./api.js";
import { createConnection, isOutdated } from "./connection.js";
import { h, say } from "./dom.js";
import { header } from "./header.js";
import { currentJob, pageAddress, takeJob } from "./job.js";
import { patch } from "./patch.js";
import { dryRunView } from "./view-dry-run.js";
import { jobsView } from "./view-jobs.js";
import { logView } from "./view-log.js";
import { nowView } from "./view-now.js";
import { peopleView } from "./view-people.js";
import { personView } from "./view-person.js";
import { planView } from "./view-plan.js";
import { rejectedView } from "./view-rejected.js";
import { revertView } from "./view-revert.js";
import { signInByLink, signInView } from "./view-sign-in.js";
import { trendsView } from "./view-trends.js";

/** The interval at which a view that does not refresh itself checks whether the daemon still answers. */
const stillThereMs = 15_000;

// A single page; the part of the address after # names the view. A view reads data (`read`), and makes elements from the data
// and from the user's actions since (`draw`). It never changes an element itself, because another one may be shown by then.

const views = [
  { pattern: /^$/, title: "Now", nav: "", ...nowView },
  { pattern: /^trends$/, title: "30 days", nav: "trends", ...trendsView },
  { pattern: /^log$/, title: "Log", nav: "log", ...logView },
  { pattern: /^people$/, title: "Find a person", nav: "people", ...peopleView },
  { pattern: /^people\/(.+)$/, title: "Person", nav: "people", ...personView },
  { pattern: /^plans\/(.+)$/, title: "Held plan", nav: "", ...planView },
  { pattern: /^rejected$/, title: "Rejected", nav: "", ...rejectedView },
  { pattern: /^revert\/([0-9]+)$/, title: "Take a cycle back", nav: "", ...revertView },
  { pattern: /^dry-run\/(.+)$/, title: "Dry run", nav: "", ...dryRunView },
];
const nowhere = {
  title: "No such page",
  nav: null,
  read: () => null,
  draw: () => [h("h1", null, "There is no such page"), h("a", { href: pageAddress("") }, "To the dashboard")],
};

const main = document.getElementById("main");
let visit = null;
let session = { asks: "nothing", signedIn: true, by: "open" };
/** Why the sign-in link did not work. */
let linkRefused = null;
/** For the first view, the focus stays where the browser has put it. */
let moved = false;
const connection = createConnection(() => read(visit));

/** Begins a visit to the view that the address names. It lasts until the address changes. */
function begin() {
  visit?.controller.abort();
  connection.forget();
  const [address = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const before = currentJob();
  const path = takeJob(address);
  // A button of one job must not act on another one while its page is still being read.
  if (currentJob() !== before) main.replaceChildren();
  const view = views.find(({ pattern }) => pattern.test(path)) ?? nowhere;
  const controller = new AbortController();
  const current = {
    view,
    controller,
    /** Aborts when the user leaves the view. */
    signal: controller.signal,
    parameter: decodeURIComponent(view.pattern?.exec(path)?.[1] ?? ""),
    query: new URLSearchParams(query),
    /** The user's actions on the page: chosen, opened, started. They stay when the data is read again. */
    state: {},
    reload: () => read(current),
    redraw: () => draw(current),
    /** The message for an error of an action on the page. Without a session, the page asks the user to sign in. */
    refused: (error) => {
      if (error instanceof Refused && error.status === 401) signedOut(current);
      return error instanceof Error ? error.message : String(error);
    },
    /** `true` if the view itself is shown, and not a message in its place. */
    shown: false,
    turn: 0,
  };
  visit = current;
  read(current);
}

/** Reads the data of `current`, and shows it. */
async function read(current) {
  const { signal } = current;
  clearTimeout(current.timer);
  current.turn += 1;
  const { turn } = current;
  const over = () => signal.aborted || turn !== current.turn;
  try {
    session = await api("session", { signal });
    if (connection.lost && (await isOutdated())) return location.reload();
    if (over()) return;
    if (!session.signedIn) return signedOut(current);
    // An address without a job: a bookmark may be older than the jobs.
    if (session.jobs && currentJob() === null) current.view = jobsView;
    const data = await current.view.read(current);
    if (over()) return;
    current.data = data;
    connection.back();
    draw(current);
  } catch (error) {
    if (over()) return;
    if (error instanceof Refused && error.status === 401) return signedOut(current);
    if (error instanceof Refused && error.passing) waiting(current, error);
    else inItsPlace(current, failure(error, current.view, current.reload));
  }
  if (!connection.lost) goOn(current);
}

function goOn(current) {
  current.timer = setTimeout(() => again(current), current.view.everyMs ?? stillThereMs);
}

/** For a view that does not refresh itself: shows the banner if the daemon does not answer. */
async function stillThere(current) {
  const { signal, turn } = current;
  try {
    await api("session", { signal });
  } catch (error) {
    if (signal.aborted || turn !== current.turn) return;
    if (error instanceof Refused && error.passing) return waiting(current, error);
  }
  if (!signal.aborted && turn === current.turn) goOn(current);
}

/** In a hidden window, nothing is read until it is visible again. */
function again(current) {
  if (current !== visit || session.signedIn === false) return;
  if (document.visibilityState === "visible") {
    if (current.view.everyMs === undefined) stillThere(current);
    else read(current);
  } else document.addEventListener("visibilitychange", () => again(current), { once: true });
}

function draw(current) {
  if (current.signal.aborted || current.data === undefined || !session.signedIn) return;
  const { view } = current;
  const content = view.draw(current.data, current).filter((part) => part !== null);
  const of = currentJob() === null ? "" : ` – ${currentJob()}`;
  document.title = `${view.title}${of} – azure-lattice-sync`;
  header(view.nav, session, signOut);
  // If nothing of this view was shown before, its elements must not be matched with the old ones.
  if (current.shown && view.whole !== true) patch(main, content);
  else arrive(content);
  current.shown = true;
  current.failed = false;
}

function arrive(content) {
  main.replaceChildren(...content);
  if (moved) main.focus({ preventScroll: true });
  if (moved) say(document.title);
  moved = true;
}

function waiting(current, error) {
  connection.failed(error.message);
  // Data of this view that was read before stays visible. Data of another view must not be shown under this address.
  if (!current.shown) main.replaceChildren(h("h1", null, "Waiting for the daemon"));
}

function inItsPlace(current, content) {
  connection.forget();
  header(current.view.nav, session, signOut);
  if (current.failed) patch(main, content);
  else arrive(content);
  current.shown = false;
  current.failed = true;
}

function failure(error, view, tryAgain) {
  const said = error instanceof Refused ? error.message : String(error);
  const gone = error instanceof Refused && error.status === 404 ? view.gone : undefined;
  return [
    h("h1", null, gone === undefined ? "This page could not be shown" : "No longer available"),
    h("div", { class: "notice bad", role: "alert" }, gone ?? said),
    h(
      "div",
      { class: "row" },
      gone === undefined ? h("button", { type: "button", onclick: tryAgain }, "Try again") : null,
      h("a", { class: "button", href: pageAddress("") }, "To the dashboard"),
    ),
  ];
}

function signedOut(current) {
  session = { ...session, signedIn: false };
  connection.forget();
  document.title = "Sign in – azure-lattice-sync";
  header(null, session, signOut);
  current.shown = false;
  arrive([signInView(session, current.reload, linkRefused)]);
  linkRefused = null;
}

async function signOut() {
  try {
    await api("session", { method: "DELETE" });
  } catch (error) {
    if (error.status !== 401) return connection.failed(`You are not signed out. ${error.message}`);
  }
  visit.reload();
}

/** Shows the view that the address names. A sign-in link leads to the dashboard. */
async function follow() {
  const code = /^#\/sign-in\/(.+)$/.exec(location.hash)?.[1];
  linkRefused = code === undefined ? null : await signInByLink(code);
  begin();
}

addEventListener("hashchange", follow);
follow();
