/** The values that a place in a template accepts, by Azure's published types. `any`: these types do not say, or it was not taken over. */
export type Shape =
  | "any"
  | "string"
  | "integer"
  | "boolean"
  /** One of these texts; others too if `open`. */
  | { readonly values: readonly string[]; readonly open: boolean }
  | { readonly items: Shape }
  | { readonly properties: Readonly<Record<string, Property>>; readonly additional?: Shape };

export interface Property {
  readonly shape: Shape;
  readonly required?: true;
  /** Set by Azure; a template may only read it. */
  readonly readOnly?: true;
}

/** Shapes by resource type and version, such as `Microsoft.App/jobs@2025-07-01`. */
export interface AzureTypes {
  /** The repository and the commit that they are from. */
  readonly source: string;
  readonly types: Readonly<Record<string, Shape>>;
}
