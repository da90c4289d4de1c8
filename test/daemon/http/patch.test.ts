import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasBrowser, openPage, startBrowser } from "./browser.ts";
import { type RunningDaemon, startDaemon } from "./running-daemon.ts";

describe.skipIf(!hasBrowser())("a part of the page that is updated", { timeout: 120_000 }, () => {
  let browser: Browser;
  let daemon: RunningDaemon;
  let page: Page;
  beforeAll(async () => {
    browser = await startBrowser();
    daemon = await startDaemon({ people: 5 });
    ({ page } = await openPage(browser));
    await page.goto(daemon.url);
    await page.evaluate(`(async () => {
      const folder = document.querySelector("script[src]").src.replace(/app\\.js$/, "");
      const [{ patch }, { h }] = await Promise.all([import(folder + "patch.js"), import(folder + "dom.js")]);
      Object.assign(window, { patch, h });
      window.place = h("div", { tabindex: -1 });
      document.body.append(place);
    })()`);
  });
  afterAll(async () => {
    await browser.close();
    await daemon[Symbol.asyncDispose]();
  });

  it("keeps the elements that stay, with focus and order, when others are added, removed or moved", async () => {
    const told = await page.evaluate(`(() => {
      const list = (keys) => keys.map((key) => h("p", { "data-key": key }, h("button", { type: "button" }, key)));
      patch(place, list(["a", "b", "c", "d"]));
      const c = place.querySelector('[data-key="c"]');
      const button = c.firstChild;
      button.focus();
      const kept = [];
      for (const keys of [["new", "c"], ["c", "new", "a"], ["x", "new", "a", "c"], ["c"]]) {
        patch(place, list(keys));
        kept.push([place.textContent, place.contains(c), document.activeElement === button]);
      }
      patch(place, list(["a"]));
      return { kept, at: document.activeElement === place };
    })()`);
    expect(told).toEqual({
      kept: [
        ["newc", true, true],
        ["cnewa", true, true],
        ["xnewac", true, true],
        ["c", true, true],
      ],
      // The focused element is gone: the focus goes to the view, and not to the top of the document.
      at: true,
    });
  });

  it("updates attributes, texts, listeners and check boxes, and keeps typed text and opened details", async () => {
    const told = await page.evaluate(`(() => {
      const pressed = [];
      const draw = (turn) => [
        h("button", { type: "button", class: turn === 1 ? "main" : null, "aria-disabled": turn === 2 ? "true" : null, onclick: () => pressed.push(turn) }, "turn " + turn),
        h("input", { type: "checkbox", checked: turn === 2 }),
        h("input", { type: "text" }),
        h("details", null, h("summary", null, "more"), h("p", null, "turn " + turn)),
      ];
      place.replaceChildren();
      patch(place, draw(1));
      const [button, box, text, details] = place.children;
      text.value = "typed";
      details.open = true;
      patch(place, draw(2));
      button.click();
      return {
        same: [...place.children].every((child, index) => child === [button, box, text, details][index]),
        button: button.outerHTML,
        pressed,
        checked: box.checked,
        typed: text.value,
        details: [details.open, details.textContent],
      };
    })()`);
    expect(told).toEqual({
      same: true,
      button: '<button type="button" aria-disabled="true">turn 2</button>',
      pressed: [2],
      checked: true,
      typed: "typed",
      details: [true, "moreturn 2"],
    });
  });
});
