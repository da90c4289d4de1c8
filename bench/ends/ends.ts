import { fork } from "node:child_process";
import { join } from "node:path";
import type { QuickStats } from "./quick-lattice.ts";

export interface EndsOptions {
  readonly people: number;
  /** Each answer of Lattice comes after so long. */
  readonly delayMs?: number;
  /** What Lattice takes; others are answered 429. */
  readonly ratePerSecond?: number;
}

/** The embedded Entra and a quick Lattice, in a process of their own. */
export interface Ends extends Disposable {
  /** The sections of a configuration that lead there. */
  readonly configuration: { readonly entra: object; readonly lattice: { readonly url: string } };
  readonly latticeUrl: string;
  stats(): Promise<QuickStats>;
  clear(): Promise<void>;
}

export async function startEnds(options: EndsOptions): Promise<Ends> {
  const child = fork(join(import.meta.dirname, "process.ts"), [JSON.stringify(options)]);
  const next = <T>(key: string): Promise<T> =>
    new Promise((done, failed) => {
      child.once("message", (message: { [key: string]: T }) => {
        const value = message[key];
        if (value === undefined) failed(new Error(`the ends said ${JSON.stringify(message)}`));
        else done(value);
      });
      child.once("exit", (code) => failed(new Error(`the ends stopped with ${code}`)));
    });
  const { latticeUrl, ...entra } = await next<{ latticeUrl: string; [key: string]: string }>("ready");
  const ask = (what: "stats" | "clear"): Promise<QuickStats> => {
    const answer = next<QuickStats>("stats");
    child.send(what);
    return answer;
  };
  return {
    configuration: {
      entra: { ...entra, scope: { mode: "all" } },
      lattice: { url: latticeUrl },
    },
    latticeUrl,
    stats: () => ask("stats"),
    clear: async () => void (await ask("clear")),
    [Symbol.dispose]: () => {
      child.removeAllListeners("exit");
      child.kill();
    },
  };
}
