/** The properties of a user that are requested. */
export interface Selection {
  /** Value of `$select` without the manager; `id` is always part of it. */
  readonly properties: readonly string[];
  /** The same for rounds of changes, which do not offer all of them. */
  readonly tracked: readonly string[];
  /** Whether the manager's id is requested. */
  readonly manager: boolean;
  /** The configured spelling by the lower-case name: Graph answers in its own spelling. */
  readonly spelling: ReadonlyMap<string, string>;
  /** Host for messages. */
  readonly host: string;
}

/** Prepares the configured list of properties; duplicates count once. */
export function parseSelection(select: readonly string[], host: string): Selection {
  const wanted = select.map((name) => name.trim()).filter((name) => name !== "");
  const spelling = new Map(
    wanted
      .filter((name) => name.toLowerCase() !== "manager")
      .map((name) => [name.toLowerCase(), name] as const),
  );
  const named = [...spelling.values()];
  const properties = spelling.has("id") ? named : ["id", ...named];
  return {
    properties,
    tracked: properties.filter((name) => !isSecurityAttributes(name)),
    manager: wanted.some((name) => name.toLowerCase() === "manager"),
    spelling,
    host,
  };
}

/** Custom security attributes never occur in rounds of changes, and Graph hides them without their permission. */
export function isSecurityAttributes(property: string): boolean {
  return property.toLowerCase() === "customsecurityattributes";
}
