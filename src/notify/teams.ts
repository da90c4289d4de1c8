import type { Line, Message } from "./words.ts";

/**
 * Body of a Teams webhook that was made with Workflows ("Post to a channel when a webhook request is received"): one
 * Adaptive Card. A `TextBlock` would interpret Markdown and mentions, so texts are put into `TextRun`s, which show them
 * unchanged.
 */
export function teamsBody(message: Message): string {
  const { title, severity, text, lists, action, link, instance, at } = message;
  const color = { problem: "attention", good: "good", note: "default" }[severity];
  return JSON.stringify({
    type: "message",
    summary: title,
    attachments: [
      {
        contentType: "application/vnd.microsoft.card.adaptive",
        contentUrl: null,
        content: {
          $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
          type: "AdaptiveCard",
          version: "1.4",
          msteams: { width: "Full" },
          body: [
            paragraph({ text: title }, { weight: "bolder", size: "medium", color }),
            paragraph({ text }),
            ...lists.flatMap((list) => [
              paragraph({ text: list.title }, { weight: "bolder" }),
              ...list.lines.map((line) => paragraph({ ...line, text: `• ${line.text}` })),
            ]),
            ...(action === "" ? [] : [paragraph({ text: action })]),
            paragraph({ text: `${instance}, ${at}` }, { isSubtle: true, size: "small" }),
          ],
          ...(link === null
            ? {}
            : { actions: [{ type: "Action.OpenUrl", title: link.text, url: link.url }] }),
        },
      },
    ],
  });
}

function paragraph({ text, url }: Line, style: object = {}): object {
  const opens = url === undefined ? {} : { selectAction: { type: "Action.OpenUrl", url } };
  return {
    type: "RichTextBlock",
    inlines: [{ type: "TextRun", text: text === "" ? " " : text, ...style, ...opens }],
  };
}
