import { systemClock } from "../../src/domain/clock.ts";
import { Secret } from "../../src/domain/secret.ts";
import { createLatticeTarget } from "../../src/lattice/target.ts";

/** Makes accounts through the program's client and limiter, without a ceiling and with nothing else around them, for so long. */
export async function createAccounts(
  url: string,
  { concurrency, seconds }: { readonly concurrency: number; readonly seconds: number },
): Promise<void> {
  const target = createLatticeTarget({
    url,
    token: new Secret("bench"),
    updateMethod: "patch",
    maxConcurrency: concurrency,
    maxRequestsPerSecond: null,
    paths: ["userName"],
    clock: systemClock,
  });
  const stop = AbortSignal.timeout(seconds * 1_000);
  let next = 0;
  const createOn = async (): Promise<void> => {
    while (!stop.aborted) {
      next += 1;
      await target.create([{ path: "userName", value: `person.${next}@example.com` }], stop);
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: concurrency }, createOn));
  target.close();
  const failed = ended.find((one) => one.status === "rejected" && one.reason !== stop.reason);
  if (failed?.status === "rejected") throw failed.reason;
}
