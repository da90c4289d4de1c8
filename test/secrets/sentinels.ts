/** Secrets that are met nowhere else, with everything that is written in another way somewhere. */
export const sentinels = {
  clientSecret: 'Client-sentinel~8Q"\\/+=&%ü<end>',
  latticeKey: 'Lattice-sentinel~K3"\\/+=&%<end>',
  httpToken: 'Daemon-sentinel~t0"\\/+=&%<end>',
  signing: `whsec_${Buffer.from("Webhook-sentinel~w7-signing-key!").toString("base64")}`,
  /** The last part of the addresses of chat services and of the ping. */
  address: "Address-sentinel~a1.x",
  smtpPassword: 'Smtp-sentinel~p2"\\/+=&%<end>',
} as const;

/** This much of a secret is too much: a secret that is cut off or quoted in part is found too. */
const tellingLength = 16;

/** The texts to look for: the beginning of the secret in each form in which it could be written. */
export function formsOf(secret: string): readonly string[] {
  const json = JSON.stringify(secret).slice(1, -1);
  const whole = [
    secret,
    json,
    JSON.stringify(json).slice(1, -1),
    encodeURIComponent(secret),
    new URLSearchParams([["", secret]]).toString().slice(1),
    secret.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;"),
    Buffer.from(secret).toString("hex"),
    ...insideBase64(secret, "base64"),
    ...insideBase64(secret, "base64url"),
  ];
  return [...new Set(whole.map((form) => form.slice(0, tellingLength)))];
}

/** Base64 of a text that holds the secret: it differs by the place at which it begins. */
function insideBase64(secret: string, encoding: "base64" | "base64url"): readonly string[] {
  return [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), Buffer.from(secret)]).toString(encoding);
    return encoded.slice(Math.ceil((offset * 4) / 3) + (offset === 0 ? 0 : 1));
  });
}
