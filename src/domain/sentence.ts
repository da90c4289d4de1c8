/** A number with its noun, in the right form: `1 person`, `1,200 people`. */
export function count(number: number, singular: string, plural = `${singular}s`): string {
  return `${number.toLocaleString("en")} ${number === 1 ? singular : plural}`;
}

/** Makes a text, ours or quoted, a whole sentence: it gets one full stop unless it already ends in a mark. */
export function sentence(text: string): string {
  const trimmed = text.trimEnd().replace(/(?<!\.)\.\.$/, ".");
  return /[.!?…:]["”')]?$/.test(trimmed) ? trimmed : `${trimmed}.`;
}

/** A sentence as a part of another one. */
export function withoutStop(text: string): string {
  return text.replace(/\.$/, "");
}

/** Begins a sentence with a capital letter. If it begins with a key, a path or a name, that stays as it is. */
function capital(text: string): string {
  return /^[a-z]+,? /.test(text) ? `${text[0]?.toUpperCase()}${text.slice(1)}` : text;
}

/** Makes each line of a message a whole sentence. Indented lines belong to the line before and stay as they are. */
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

/** ISO 8601, for programs. @param time milliseconds since the epoch; `null` stays `null` */
export function iso(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}

/** A time of the log for people: `2026-01-31 08:30:15Z`. @param time ISO 8601, or milliseconds since the epoch */
export function secondText(time: string | number): string {
  return `${new Date(time).toISOString().slice(0, 19).replace("T", " ")}Z`;
}

/** A time for people: `2026-01-31 08:30 UTC`. @param time ISO 8601, or milliseconds since the epoch */
export function timeText(time: string | number): string {
  return `${new Date(time).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** A rounded length of time for people: `90 minutes`, `3 hours`. */
export function durationText(milliseconds: number): string {
  const minutes = Math.round(milliseconds / 60_000);
  if (minutes < 120) return count(minutes, "minute");
  const hours = Math.round(minutes / 60);
  return hours < 72 ? count(hours, "hour") : count(Math.round(hours / 24), "day");
}
