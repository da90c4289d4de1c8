import { h, say } from "./dom.js";
import { watchWork } from "./watch.js";
import { count, duration, number, tag } from "./words.js";

const names = { cycle: "Cycle", dryRun: "Dry run", release: "Release" };

/** A piece of work with its progress, kept up to date while it runs. `ended` is called when it has ended. */
export function workCard(work, signal, ended) {
  const card = h("section", { "aria-label": names[work.kind] });
  const draw = (current) => card.replaceChildren(...content(current));
  draw(work);
  if (work.finishedAt === null) {
    let phase = "";
    watchWork(work.id, signal, (current) => {
      draw(current);
      const next = current.progress?.phase ?? "";
      if (next !== phase && next !== "") say(`${names[work.kind]}: ${next}`);
      phase = next;
    })
      .then((last) => {
        if (last === null) return;
        say(`${names[work.kind]} ended`);
        ended(last);
      })
      .catch(() => {});
  }
  return card;
}

function content(work) {
  const title = `${names[work.kind]}${work.trigger === "hand" ? ", asked for by hand" : ""}`;
  if (work.finishedAt === null) {
    const { progress } = work;
    const text =
      progress === null
        ? "starting"
        : `${progress.phase}: ${number(progress.done)}${progress.total === null ? "" : ` of ${number(progress.total)}`}`;
    return [
      h("h2", null, `${title} is under way`),
      h("p", { class: "quiet" }, text),
      h("progress", {
        "aria-label": text,
        max: progress?.total ?? null,
        value: progress?.total ? Math.min(progress.done, progress.total) : undefined,
      }),
    ];
  }
  const took = duration(Date.parse(work.finishedAt) - Date.parse(work.startedAt));
  if (work.error !== null) {
    return [h("h2", null, `${title} failed`), h("div", { class: "notice bad", role: "alert" }, work.error)];
  }
  const { result } = work;
  return [
    h("h2", null, `${title}: ended after ${took}`),
    h("p", null, work.kind === "dryRun" ? summaryText(result.summary, "would be") : resultText(result)),
    ...result.notes.map((notice) => h("div", { class: "notice warn" }, notice)),
    result.notLetGo.length === 0
      ? null
      : h(
          "div",
          { class: "notice warn" },
          `Not let go, because what was held is no longer due as it was: ${result.notLetGo.map(({ userName }) => userName).join(", ")}`,
        ),
    work.kind === "dryRun"
      ? h("p", null, h("a", { class: "button", href: `#/dry-run/${work.id}` }, "Look through the plan"))
      : null,
  ].filter((part) => part !== null);
}

function resultText(result) {
  const held = result.held > 0 ? `, ${number(result.held)} held` : "";
  return h(
    "span",
    null,
    tag(result.outcome),
    ` ${number(result.done)} done, ${number(result.failed)} failed${held}`,
  );
}

export function summaryText(summary, verb) {
  const parts = ["create", "update", "deactivate", "reactivate", "link"]
    .filter((action) => summary[action] > 0)
    .map((action) => `${number(summary[action])} ${action}`);
  const changes = parts.length === 0 ? "Nothing to do" : `${parts.join(", ")} ${verb} sent`;
  return `${changes}; ${count(summary.unchanged, "person", "people")} unchanged, ${number(summary.skipped)} left alone.`;
}
