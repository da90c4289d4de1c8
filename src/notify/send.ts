import type { Answer } from "./answer.ts";
import { sendEmail } from "./email.ts";
import { sendHttp } from "./http-request.ts";
import type { Notice } from "./notice.ts";
import type { Receiver } from "./settings.ts";
import { slackBody } from "./slack.ts";
import { teamsBody } from "./teams.ts";
import { signatureHeaders, webhookBody } from "./webhook.ts";
import { messageOf, type Wording } from "./words.ts";

const timeoutMs = 10_000;

/**
 * Sends one notification to one receiver, once. Never throws.
 * @param how `now`: milliseconds since the epoch, for the signature
 */
export async function sendNotification(
  receiver: Receiver,
  notice: Notice,
  how: Omit<Wording, "people"> & { readonly now: number },
  signal: AbortSignal,
): Promise<Answer> {
  const { people } = receiver;
  const words = { instance: how.instance, job: how.job, dashboard: how.dashboard, people };
  const json = { "content-type": "application/json" };
  switch (receiver.kind) {
    case "webhook": {
      const body = webhookBody(notice, words);
      const signature = signatureHeaders(notice.id, body, receiver.secret, how.now);
      const headers = { ...json, ...signature };
      const secrets = [receiver.secret];
      return sendHttp(receiver.url.reveal(), { method: "POST", headers, body, timeoutMs, secrets }, signal);
    }
    case "slack":
    case "teams": {
      const body = (receiver.kind === "slack" ? slackBody : teamsBody)(messageOf(notice, words));
      return sendHttp(receiver.url.reveal(), { method: "POST", headers: json, body, timeoutMs }, signal);
    }
    case "email":
      return sendEmail(receiver, messageOf(notice, words), { id: notice.id, timeoutMs }, signal);
  }
}
