import { randomBytes } from "node:crypto";

/** A number from 0 up to, but not including, 1. It is handed in, so that a simulation owns it. */
export type Random = () => number;

/** 48 random bits of the system. */
export const systemRandom: Random = () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48;
