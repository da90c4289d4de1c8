import dns from "node:dns";
import type { LookupFunction } from "node:net";
import { isLoopbackAddress } from "../domain/loopback.ts";

/**
 * Resolves a name that must mean this machine, and fails if it leads elsewhere. It is checked at each connection, because the
 * name may lead elsewhere later in a long run.
 */
export const loopbackLookup: LookupFunction = (hostname, options, found) => {
  dns.lookup(hostname, { ...options, all: true }, (error, addresses) => {
    const own = (addresses ?? []).filter(({ address }) => isLoopbackAddress(address));
    const first = own[0];
    if (error === null && first !== undefined) {
      if (options.all === true) found(null, own);
      else found(null, first.address, first.family);
      return;
    }
    found(error ?? notHere(hostname), "", 4);
  });
};

function notHere(hostname: string): NodeJS.ErrnoException {
  return Object.assign(
    new Error(`${hostname} is not this machine: nothing is sent there without encryption`),
    {
      code: "ENOTFOUND",
      syscall: "getaddrinfo",
    },
  );
}
