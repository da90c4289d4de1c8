import type { CustomTypesConfig } from "pg";
import { decodeJson, decodeText } from "./codec.ts";

type Parser = (text: string) => unknown;

// By the ids of PostgreSQL's own types, which are the same in every database.
const parsers: ReadonlyMap<number, Parser> = new Map<number, Parser>([
  [16, (text) => text === "t"],
  // Ids and times are far below 2^53.
  [20, Number],
  [21, Number],
  [23, Number],
  [25, decodeText],
  [114, decodeJson],
]);

/** The types of values that are read: booleans and whole numbers as such, JSON parsed, everything else as text. */
export const valueTypes: CustomTypesConfig = {
  getTypeParser: (type: number) => parsers.get(type) ?? decodeText,
};
