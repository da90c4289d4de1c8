import { h } from "./dom.js";
import { pageAddress } from "./job.js";

const clock = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const numbers = new Intl.NumberFormat("en");

/** The number of rejections that the daemon returns: the newest. */
export const mostRejections = 10_000;

export function number(value) {
  return numbers.format(value);
}

export function count(value, one, many = `${one}s`) {
  return `${number(value)} ${value === 1 ? one : many}`;
}

/** The text with a full stop, unless it already ends in a mark. */
export function sentence(text) {
  return /[.?!]$/.test(text) ? text : `${text}.`;
}

/** A time, and how far away it is. */
export function moment(iso, { away = true } = {}) {
  if (iso === null || iso === undefined) return "never";
  const at = new Date(iso);
  return h("time", { datetime: iso, title: iso }, clock.format(at), away ? ` (${ago(at)})` : "");
}

export function ago(at) {
  const seconds = Math.round((at.getTime() - Date.now()) / 1000);
  const size = Math.abs(seconds);
  if (size < 60) return relative.format(seconds, "second");
  if (size < 3_600) return relative.format(Math.round(seconds / 60), "minute");
  if (size < 86_400) return relative.format(Math.round(seconds / 3_600), "hour");
  return relative.format(Math.round(seconds / 86_400), "day");
}

export function duration(ms) {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`;
  return `${Math.floor(ms / 3_600_000)} h ${Math.round((ms % 3_600_000) / 60_000)} min`;
}

const tones = {
  done: "good",
  held: "warn",
  "would be held": "warn",
  someFailed: "warn",
  failed: "bad",
  interrupted: "warn",
  paused: "warn",
  cancelled: "warn",
  planned: "",
  sending: "",
  reported: "",
  deactivate: "bad",
};
const outcomes = {
  held: "a part is held",
  someFailed: "some failed",
  paused: "sending paused",
  null: "running",
};

export function tag(text) {
  return h("span", { class: `tag ${tones[text] ?? ""}` }, text);
}

/** The result of a cycle. Held operations are a part of it; the others were sent. */
export function outcomeTag(outcome) {
  return h("span", { class: `tag ${tones[outcome] ?? ""}` }, outcomes[outcome] ?? outcome);
}

export function personLink(objectId, userName) {
  return h("a", { href: pageAddress(`people/${encodeURIComponent(objectId)}`) }, userName ?? objectId);
}

/** The last part of a SCIM path, without the URN of its schema. */
export function shortPath(path) {
  return path.replace(/^urn:.*:(?=[^:]+$)/, "").replace(/\[type eq "(\w+)"\]\.value$/, ".$1");
}

export function valueText(value) {
  if (value === null || value === undefined) return "(none)";
  return typeof value === "string" ? value : JSON.stringify(value);
}

export function changeList(changes) {
  if (changes.length === 0) return null;
  return h(
    "ul",
    { class: "changes" },
    changes.map(({ attribute, before, after }) =>
      h(
        "li",
        null,
        h("span", { class: "attribute" }, shortPath(attribute), ": "),
        before === null ? null : [h("del", null, valueText(before)), " → "],
        h("ins", null, valueText(after)),
      ),
    ),
  );
}

/** The person who decided, and the reason, if they are known: `by cli:kim@host: the reason`. */
export function byWhom({ by, reason }) {
  if (by === undefined) return "";
  return reason === undefined ? `by ${by}` : `by ${by}: ${reason}`;
}

/** The daemons that have a job and do not take it, each with the reason. */
export function standingAside(aside) {
  return aside.map(({ worker, reason }) =>
    h("div", { class: "small", "data-key": worker }, `${worker} does not take the job: ${reason}`),
  );
}
