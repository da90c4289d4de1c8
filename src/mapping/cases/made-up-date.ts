const dayMs = 86_400_000;

/**
 * Another date in the form of `text`, on the same side of the case's time as it was of `now`, and about as far away.
 * @returns `null` if `text` is not a date
 */
export function madeUpDate(
  text: string,
  { now, caseNow, random }: { now: number; caseNow: number; random: () => number },
): string | null {
  const date = readDate(text);
  if (date === null) return null;
  const away = (date.at - now) * (0.6 + 0.8 * random());
  // So that the recording time does not reveal even today's date.
  const further = Math.sign(away || -1) * (1 + Math.floor(random() * 20)) * dayMs;
  const made = caseNow + Math.round(away + further);
  return date.write(new Date(date.wholeDay ? Math.floor(made / dayMs) * dayMs : made));
}

interface WrittenDate {
  readonly at: number;
  readonly wholeDay: boolean;
  readonly write: (date: Date) => string;
}

function readDate(text: string): WrittenDate | null {
  return readISO(text) ?? readCompact(text) ?? readLocal(text);
}

function readISO(text: string): WrittenDate | null {
  const [, day, rest = ""] = /^(\d{4}-\d\d-\d\d)([T ].*)?$/i.exec(text) ?? [];
  if (day === undefined) return null;
  const [, separator = "", time = "", fraction = "", zone = ""] =
    /^([T ])(\d\d:\d\d(?::\d\d)?)(\.\d+)?(Z|[+-]\d\d:?\d\d)?$/i.exec(rest) ?? [];
  const at = Date.parse(`${day}T${time === "" ? "00:00" : time}Z`);
  if (Number.isNaN(at) || (rest !== "" && time === "")) return null;
  return {
    at,
    wholeDay: at % dayMs === 0,
    write: (date) => {
      const [madeDay = "", madeTime = ""] = date.toISOString().split("T");
      const digits =
        fraction === "" ? "" : madeTime.slice(8, -1).padEnd(fraction.length, "0").slice(0, fraction.length);
      return `${madeDay}${separator}${madeTime.slice(0, time.length)}${digits}${zone}`;
    },
  };
}

/** `20260131`, and `20260131090000.0Z` as on-premises directories write times. */
function readCompact(text: string): WrittenDate | null {
  const [, year, month, day, time = "", rest = ""] =
    /^((?:19|20)\d\d)(\d\d)(\d\d)(\d{6})?((?:\.\d+)?Z)?$/.exec(text) ?? [];
  if (year === undefined || (time === "") !== (rest === "")) return null;
  const clock = time === "" ? "00:00:00" : time.replace(/^(\d\d)(\d\d)(\d\d)$/, "$1:$2:$3");
  const at = Date.parse(`${year}-${month}-${day}T${clock}Z`);
  if (Number.isNaN(at)) return null;
  return {
    at,
    wholeDay: at % dayMs === 0,
    write: (date) =>
      `${date
        .toISOString()
        .slice(0, 19)
        .replaceAll(/\D/g, "")
        .slice(0, 8 + time.length)}${rest}`,
  };
}

/** `31.01.2026` or `1/31/2026`: it may be unclear which number is the month, so the result is valid either way. */
function readLocal(text: string): WrittenDate | null {
  const [, first, separator, second, year] = /^(\d{1,2})([./-])(\d{1,2})\2(\d{4})$/.exec(text) ?? [];
  if (first === undefined || second === undefined || year === undefined) return null;
  const dayFirst = Number(first) > 12;
  const [day, month] = dayFirst ? [Number(first), Number(second)] : [Number(second), Number(first)];
  if (day < 1 || day > 31 || month < 1 || month > 12) return null;
  return {
    at: Date.UTC(Number(year), month - 1, day),
    wholeDay: true,
    write: (date) => {
      const madeMonth = String(date.getUTCMonth() + 1);
      const madeDay = String(day > 12 ? 13 + (date.getUTCDate() % 16) : 1 + (date.getUTCDate() % 12));
      const [left, right] = dayFirst ? [madeDay, madeMonth] : [madeMonth, madeDay];
      const shape = (made: string, real: string): string =>
        real.startsWith("0") || real.length === 2 ? made.padStart(2, "0") : made;
      return `${shape(left, first)}${separator}${shape(right, second)}${separator}${date.getUTCFullYear()}`;
    },
  };
}
