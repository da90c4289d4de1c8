/** A library as its own manifest describes it. */
export interface Library {
  readonly name: string;
  readonly version: string;
  /** An SPDX expression. */
  readonly license: string;
}

/**
 * The libraries that are part of a program, in CycloneDX: scanners of known faults look for such a file, since the program is
 * one bundle in which they would find no library. It names no time, so that the same sources make the same file.
 */
export function billOfMaterials(program: Library, libraries: readonly Library[]): string {
  const document = {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: { component: { type: "application", ...component(program) } },
    // A library can be in several folders.
    components: [...new Map(libraries.map((library) => [addressOf(library), library]))]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([, library]) => ({ type: "library", ...component(library) })),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function component(library: Library): object {
  const { name, version, license } = library;
  const purl = addressOf(library);
  return { "bom-ref": purl, name, version, purl, licenses: [{ expression: license }] };
}

/** As package URLs name it. */
function addressOf({ name, version }: Library): string {
  return `pkg:npm/${name.replace("@", "%40")}@${version}`;
}
