import { api } from "./api.js";
import { h } from "./dom.js";

/** Signs in with the code of a link. @returns why that failed, or `null` */
export async function signInByLink(code) {
  // A used code has no value, and need not stay in the browser's history.
  history.replaceState(null, "", "#/");
  try {
    await api("session", { method: "POST", body: { code } });
    return null;
  } catch (error) {
    return `You are not signed in. ${error.message}`;
  }
}

/**
 * The view for a user who is not signed in. `done` is called when that may have changed. `refused`: why a link did not sign
 * the user in.
 */
export function signInView(session, done, refused = null) {
  if (session.asks === "proxy") {
    return h(
      "div",
      { class: "card narrow" },
      h("h1", null, "Not signed in"),
      h(
        "p",
        null,
        "You reach this dashboard through a reverse proxy, which must say who you are. It did not name a user.",
      ),
      h("button", { type: "button", class: "main", onclick: () => location.reload() }, "Load the page again"),
    );
  }
  const problem = h("div", { role: "alert" }, refused && h("div", { class: "notice bad" }, refused));
  const token = h("input", {
    id: "token",
    type: "password",
    autocomplete: "current-password",
    required: true,
  });
  const button = h("button", { class: "main", type: "submit" }, "Sign in");
  const submit = async (event) => {
    event.preventDefault();
    button.disabled = true;
    problem.replaceChildren();
    try {
      await api("session", { method: "POST", body: { token: token.value } });
      done();
    } catch (error) {
      button.disabled = false;
      token.value = "";
      token.focus();
      problem.replaceChildren(h("div", { class: "notice bad" }, `You are not signed in. ${error.message}`));
    }
  };
  return h(
    "div",
    { class: "card narrow" },
    h("h1", null, "Sign in"),
    h(
      "form",
      { onsubmit: submit },
      problem,
      h(
        "label",
        { for: "token" },
        "Token (http.token of the configuration, or in the file http-token next to the database)",
        token,
      ),
      button,
    ),
  );
}
