import { randomBytes, timingSafeEqual } from "node:crypto";

/** Codes in links that sign in without typing or showing the token: each works once, and only for a short time. */
export interface SignInCodes {
  make(): string;
  /** Checks a code, and uses it up. @returns `true` if it is valid */
  use(code: string): boolean;
}

const validMs = 15 * 60_000;

/** @param now milliseconds since the epoch */
export function createSignInCodes(now: () => number): SignInCodes {
  let current: { readonly code: Buffer; readonly madeAt: number } | null = null;
  return {
    make: () => {
      const code = randomBytes(24);
      current = { code, madeAt: now() };
      return code.toString("base64url");
    },
    use: (given) => {
      if (current === null) return false;
      const code = Buffer.from(given, "base64url");
      const age = now() - current.madeAt;
      if (code.length !== current.code.length || !timingSafeEqual(code, current.code)) return false;
      current = null;
      return age >= 0 && age < validMs;
    },
  };
}
