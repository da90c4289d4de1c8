import type { Line, Message } from "./words.ts";

/**
 * Body of a Slack incoming webhook (Block Kit). Texts from outside are put into `rich_text`, which Slack shows unchanged. In
 * the short text of the notification they are escaped as mrkdwn requires.
 */
export function slackBody(message: Message): string {
  const { title, severity, text, lists, action, link, instance, at } = message;
  const sign = { problem: ":warning:", good: ":white_check_mark:", note: ":information_source:" }[severity];
  return JSON.stringify({
    text: `${sign} ${escapeMrkdwn(`${instance}: ${title}`)}`,
    blocks: [
      { type: "section", text: { type: "mrkdwn", text: `${sign} *${escapeMrkdwn(title)}*` } },
      {
        type: "rich_text",
        elements: [
          section({ text }),
          ...lists.flatMap((list) => [
            section({ text: list.title }, true),
            { type: "rich_text_list", style: "bullet", elements: list.lines.map((line) => section(line)) },
          ]),
          ...(action === "" ? [] : [section({ text: action })]),
          ...(link === null ? [] : [section(link)]),
        ],
      },
      { type: "context", elements: [{ type: "plain_text", emoji: false, text: `${instance}, ${at}` }] },
    ],
  });
}

/** A text, or a link that shows the text if there is an address. */
function section({ text, url }: Line, bold = false): object {
  const shown = text === "" ? " " : text;
  return {
    type: "rich_text_section",
    elements: [
      url === undefined
        ? { type: "text", text: shown, ...(bold ? { style: { bold } } : {}) }
        : { type: "link", url, text: shown },
    ],
  };
}

/** Slack, "Formatting text for app surfaces": three characters begin mentions, links and entities. */
function escapeMrkdwn(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
