/**
 * Removes a secret from another side's words: as it is, and as it looks in JSON, an address, a form or base64. Do this before
 * the words are quoted, cut or parsed, because part of a secret is no longer recognised.
 */
export function redactor(secret: string): (text: string) => string {
  const json = JSON.stringify(secret).slice(1, -1);
  const forms = [
    secret,
    json,
    json.replaceAll("/", "\\/"),
    encodeURIComponent(secret.toWellFormed()),
    new URLSearchParams([["", secret]]).toString().slice(1),
    Buffer.from(secret).toString("base64").replace(/=+$/, ""),
    Buffer.from(secret).toString("base64url"),
  ];
  const distinct = [...new Set(forms)].filter((form) => form !== "");
  return (text) => distinct.reduce((left, form) => left.replaceAll(form, "***"), text);
}
