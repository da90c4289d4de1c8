import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { UsageError } from "../domain/errors.ts";
import { joinFaults } from "../domain/faults.ts";
import { isLoopbackAddress } from "../domain/loopback.ts";
import type { Config } from "./schema.ts";

/** Resolves a name to addresses; rejects if it has none. */
export type LookUp = (name: string) => Promise<readonly string[]>;

/**
 * Refuses plain `http://` to a name such as `lattice.localhost` that leads to another machine: credentials and personal data
 * would be readable on the way. A name without an address is accepted: nothing can be sent to it.
 * @throws UsageError that names each such key
 */
export async function refuseForeignLoopback(config: Config, lookUp: LookUp = addressesOf): Promise<void> {
  const faults = await Promise.all(
    plainNames(config).map(async ({ key, name }): Promise<string[]> => {
      const foreign = (await lookUp(name).catch(() => [])).filter((address) => !isLoopbackAddress(address));
      if (foreign[0] === undefined) return [];
      return [
        `${key} is sent unencrypted to ${name}, which is not this machine but ${foreign[0]}: use https, or the address 127.0.0.1`,
      ];
    }),
  );
  if (faults.flat().length > 0) throw new UsageError(joinFaults(faults.flat()));
}

interface PlainName {
  readonly key: string;
  readonly name: string;
}

/** Every name that unencrypted requests go to; the schema has checked that it should mean this machine. */
function plainNames({ entra, lattice, notify }: Config): PlainName[] {
  const addresses = [
    { key: "lattice.url", url: lattice.url },
    { key: "entra.authorityHost", url: entra.authorityHost },
    { key: "entra.graphUrl", url: entra.graphUrl },
    ...(notify.ping === null ? [] : [{ key: "notify.ping.url", url: notify.ping.url.reveal() }]),
    ...notify.receivers.map((receiver, index) =>
      receiver.kind === "email"
        ? { key: `notify.receivers[${index}].smtp.host`, url: plainSmtp(receiver.smtp) }
        : { key: `notify.receivers[${index}].url`, url: receiver.url.reveal() },
    ),
  ];
  return addresses.flatMap(({ key, url }) => {
    const { protocol, hostname } = new URL(url);
    return protocol === "http:" && isIP(hostname.replace(/^\[|\]$/g, "")) === 0
      ? [{ key, name: hostname }]
      : [];
  });
}

function plainSmtp({ host, tls }: { readonly host: string; readonly tls: string }): string {
  return `${tls === "none" ? "http" : "https"}://${host.includes(":") ? `[${host}]` : host}`;
}

async function addressesOf(name: string): Promise<readonly string[]> {
  return (await lookup(name, { all: true })).map(({ address }) => address);
}
