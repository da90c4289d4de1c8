import { redactor } from "../domain/redact.ts";
import { type Answer, faultCode, oneLine } from "./answer.ts";
import type { Receiver } from "./settings.ts";
import type { Line, Message } from "./words.ts";

type EmailReceiver = Extract<Receiver, { kind: "email" }>;

/** Sends one message as text and HTML. Never throws, and never reveals the password. */
export async function sendEmail(
  { smtp, from, to }: EmailReceiver,
  message: Message,
  how: { readonly id: string; readonly timeoutMs: number },
  signal: AbortSignal,
): Promise<Answer> {
  const { host, port, tls, user, password } = smtp;
  const { timeoutMs } = how;
  // Loading it takes time that a run without e-mail does not need.
  const { createTransport } = await import("nodemailer");
  const transport = createTransport({
    host,
    port,
    secure: tls === "implicit",
    requireTLS: tls === "starttls",
    ignoreTLS: tls === "none",
    ...(user === undefined ? {} : { auth: { user, pass: password?.reveal() ?? "" } }),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const stop = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const hide = password === undefined ? (text: string) => text : redactor(password.reveal());
  try {
    const { response } = await untilAborted(
      transport.sendMail({
        from,
        to: [...to],
        subject: `[${message.instance}] ${message.title}`,
        text: plainText(message),
        html: html(message),
        // The same for every attempt, so that a mailbox can recognise a second copy.
        messageId: `<${how.id}@azure-lattice-sync.invalid>`,
        date: message.at,
        headers: { "Auto-Submitted": "auto-generated" },
      }),
      stop,
    );
    return { ok: true, detail: `answered "${oneLine(hide(response))}"` };
  } catch (error) {
    if (signal.aborted) return { ok: false, detail: "stopped before it answered" };
    if (stop.aborted) return { ok: false, detail: `did not answer within ${timeoutMs / 1000} s` };
    return { ok: false, detail: faultOf(error, hide) };
  } finally {
    transport.close();
  }
}

/** The server's words, if it sent any, else the code of the connection error. */
function faultOf(error: unknown, hide: (text: string) => string): string {
  const { response, code } = error instanceof Error ? (error as { response?: unknown; code?: unknown }) : {};
  if (code === "ETLS") return "offers no encryption (ETLS): check smtp.tls and smtp.port";
  if (typeof response === "string" && response !== "") return `answered "${oneLine(hide(response))}"`;
  return `cannot be reached (${faultCode(error)})`;
}

function plainText({ text, lists, action, link, instance, at }: Message): string {
  const blocks = [
    text,
    ...lists.map((list) => `${list.title}:\n${list.lines.map(plainLine).join("\n")}`),
    ...(action === "" ? [] : [action]),
    ...(link === null ? [] : [`${link.text}:\n${link.url}`]),
    `-- \n${instance}, ${at}`,
  ];
  return `${blocks.join("\n\n")}\n`;
}

function html({ title, text, lists, action, link, instance, at }: Message): string {
  const blocks = [
    `<h2>${escapeHtml(title)}</h2>`,
    `<p>${escapeHtml(text)}</p>`,
    ...lists.map(
      (list) =>
        `<p><b>${escapeHtml(list.title)}</b></p><ul>${list.lines.map((line) => `<li>${htmlLine(line)}</li>`).join("")}</ul>`,
    ),
    ...(action === "" ? [] : [`<p>${escapeHtml(action)}</p>`]),
    ...(link === null ? [] : [`<p>${htmlLine(link)}</p>`]),
    `<p><small>${escapeHtml(`${instance}, ${at}`)}</small></p>`,
  ];
  return `<!doctype html><html lang="en"><body>${blocks.join("\n")}</body></html>`;
}

/** The address on a line of its own, so that a mail program makes a link of all of it. */
function plainLine({ text, url }: Line): string {
  return url === undefined ? `- ${text}` : `- ${text}\n  ${url}`;
}

function htmlLine({ text, url }: Line): string {
  return url === undefined ? escapeHtml(text) : `<a href="${escapeHtml(url)}">${escapeHtml(text)}</a>`;
}

function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

/** Rejects as soon as the signal aborts, because nodemailer takes no signal. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
