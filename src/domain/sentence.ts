/** A number with its noun, in the right form: `1 person`, `1,200 people`. */
export function count(number: number, singular: string, plural = `${singular}s`): string {
  return `${number.toLocaleString("en")} ${number === 1 ? singular : plural}`;
}

/** A text, ours or another side's, as a whole sentence: it ends in one full stop, or as it ends already. */
export function sentence(text: string): string {
  const trimmed = text.trimEnd().replace(/(?<!\.)\.\.$/, ".");
  return /[.!?…:]["”')]?$/.test(trimmed) ? trimmed : `${trimmed}.`;
}

/** A sentence as a part of another one. */
export function withoutStop(text: string): string {
  return text.replace(/\.$/, "");
}

/** A text that begins with a word of the language begins with a capital; a key, a path or a name stays as it is written. */
function capital(text: string): string {
  return /^[a-z]+,? /.test(text) ? `${text[0]?.toUpperCase()}${text.slice(1)}` : text;
}

/** The lines of a message, each a whole sentence; those that are indented belong to the line before, and stay as they are. */
export function sentences(text: string): string {
  return text
    .split("\n")
    .map((line, index, lines) => {
      const introduces = /^\s/.test(lines[index + 1] ?? "");
      if (line === "" || /^\s/.test(line)) return line;
      return capital(introduces ? line : sentence(line));
    })
    .join("\n");
}

/** A time of the log for people: `2026-01-31 08:30:15Z`. @param time ISO 8601, or milliseconds since the epoch */
export function secondText(time: string | number): string {
  return `${new Date(time).toISOString().slice(0, 19).replace("T", " ")}Z`;
}

/** A time for people: `2026-01-31 08:30 UTC`. @param time ISO 8601, or milliseconds since the epoch */
export function timeText(time: string | number): string {
  return `${new Date(time).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
