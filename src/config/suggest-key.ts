import { distance } from "fastest-levenshtein";

/** The penalty for a key of another section, compared with an equally spelt one of the same section. */
const otherSection = 0.5;

/** At most this many suggestions that are equally near: `every` alone can be two keys. */
const mostSuggestions = 3;

/**
 * Finds the known keys that an unknown one was most likely meant to be, on its own level or on any other.
 * @param unknownKey dotted, list elements as `[]`
 * @param known dotted keys
 */
export function suggestKeys(unknownKey: string, known: readonly string[]): readonly string[] {
  const wanted = splitKey(unknownKey);
  const allowed = Math.max(1, Math.floor(wanted.name.length / 3));
  const scored = known
    .map((key) => {
      const candidate = splitKey(key);
      const spelling = distance(wanted.name, candidate.name);
      return { key, spelling, score: spelling + (candidate.section === wanted.section ? 0 : otherSection) };
    })
    .filter(({ spelling }) => spelling <= allowed);
  const best = Math.min(...scored.map(({ score }) => score));
  return scored.flatMap(({ key, score }) => (score === best ? [key] : [])).slice(0, mostSuggestions);
}

/** Upper case, hyphens and underscores (`tenant_id`) do not change the meaning. */
function splitKey(key: string): { section: string; name: string } {
  const cut = key.lastIndexOf(".");
  return {
    section: key.slice(0, Math.max(cut, 0)),
    name: key
      .slice(cut + 1)
      .toLowerCase()
      .replaceAll(/[-_]/g, ""),
  };
}
