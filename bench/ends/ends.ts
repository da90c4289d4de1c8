import { fork } from "node:child_process";
import { join } from "node:path";
import type { Limit, QuickStats } from "./quick-lattice.ts";

export interface EndsOptions {
  readonly people: number;
  /** Each answer of Lattice comes after so long. */
  readonly delayMs?: number;
  /** Levels of the tree of managers; without, as deep as the embedded company's is at this size. */
  readonly levels?: number;
  /** Requests a second that Lattice takes; others are answered 429. */
  readonly ratePerSecond?: number;
  /** The same, for a limit that moves. */
  readonly limits?: readonly Limit[];
  /** Seconds of the Retry-After that comes with a 429; without, Lattice does not say. */
  readonly retryAfter?: number;
}

interface EntraEnd {
  readonly tenantId: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly authorityHost: string;
  readonly graphUrl: string;
  readonly scope: { readonly mode: "all" };
}

/** The embedded Entra and a quick Lattice, in a process of their own. */
export interface Ends extends Disposable {
  /** The sections of a configuration that lead there. */
  readonly configuration: { readonly entra: EntraEnd; readonly lattice: { readonly url: string } };
  readonly latticeUrl: string;
  stats(): Promise<EndsStats>;
  /** Paths, with their queries, of the requests to Graph since this or anything else was last asked. */
  graphPaths(): Promise<readonly string[]>;
  /** Forgets every account and every count of Lattice. */
  clear(): Promise<void>;
  /** Gives this many people, spread over the whole directory, another title. */
  change(count: number): Promise<void>;
}

export interface EndsStats extends QuickStats {
  readonly graphRequests: number;
  /** Since the last question, where it was asked for them. */
  readonly graphPaths: readonly string[];
}

export async function startEnds(options: EndsOptions): Promise<Ends> {
  const child = fork(join(import.meta.dirname, "process.ts"), [JSON.stringify(options)]);
  const next = <T>(key: string): Promise<T> =>
    new Promise((done, failed) => {
      const onExit = (code: number | null): void => failed(new Error(`the ends stopped with ${code}`));
      child.once("exit", onExit);
      child.once("message", (message: { [key: string]: T }) => {
        child.off("exit", onExit);
        const value = message[key];
        if (value === undefined) failed(new Error(`the ends said ${JSON.stringify(message)}`));
        else done(value);
      });
    });
  const { latticeUrl, ...entra } = await next<Omit<EntraEnd, "scope"> & { latticeUrl: string }>("ready");
  const ask = (message: { readonly ask: string; readonly count?: number }): Promise<EndsStats> => {
    const answer = next<EndsStats>("stats");
    child.send(message);
    return answer;
  };
  return {
    configuration: {
      entra: { ...entra, scope: { mode: "all" } },
      lattice: { url: latticeUrl },
    },
    latticeUrl,
    stats: () => ask({ ask: "stats" }),
    graphPaths: async () => (await ask({ ask: "paths" })).graphPaths,
    clear: async () => void (await ask({ ask: "clear" })),
    change: async (count) => void (await ask({ ask: "change", count })),
    [Symbol.dispose]: () => {
      child.removeAllListeners("exit");
      child.kill();
    },
  };
}
