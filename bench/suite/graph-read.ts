import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { systemClock } from "../../src/domain/clock.ts";
import { Secret } from "../../src/domain/secret.ts";
import { createEntraSource } from "../../src/entra/source.ts";
import { parseMapping } from "../../src/mapping/rules/mapping.ts";
import { parseScopingFilters } from "../../src/mapping/rules/scoping-filter.ts";
import { type Bench, type Finding, grouped, median } from "../bench.ts";
import { type Ends, startEnds } from "../ends/ends.ts";

const rounds = 3;

export const bench: Bench = {
  about:
    "everybody read from the embedded Graph, parsed and checked, against the same pages by bare fetch and JSON.parse",
  inCI: true,
  async *measure({ small, note }): AsyncGenerator<Finding> {
    const people = small ? 10_000 : 100_000;
    note(`a directory of ${grouped(people)} people`);
    using ends = await startEnds({ people });
    const times = { read: [] as number[], bare: [] as number[] };
    let paths: readonly string[] = [];
    for (let round = 0; round < rounds; round += 1) {
      await ends.graphPaths();
      times.read.push(await timed(() => readAll(ends)));
      paths = (await ends.graphPaths()).filter((path) => !path.includes("/delta"));
      times.bare.push(await timed(() => fetchAll(ends, paths)));
    }
    const [read, bare] = [median(times.read), median(times.bare)];
    yield {
      what: `${grouped(people)} people on ${paths.length} pages`,
      measured: `${(read / 1_000).toFixed(2)} s`,
      reference: `fetch + JSON.parse ${(bare / 1_000).toFixed(2)} s`,
      ratio: read / bare,
      wanted: { atMost: 1.5 },
    };
  },
};

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

async function readAll({ configuration: { entra } }: Ends): Promise<number> {
  const mapping = parseMapping(parse(readFileSync("config/default-mapping.yaml", "utf8")), {
    origin: "config/default-mapping.yaml",
    onNull: "clear",
    filters: parseScopingFilters([], { guests: true }),
  });
  const { clientSecret, ...rest } = entra;
  const source = createEntraSource({
    ...rest,
    credential: { kind: "clientSecret", secret: new Secret(clientSecret) },
    select: mapping.select,
    clock: systemClock,
  });
  let people = 0;
  for await (const page of source.readAll(new AbortController().signal)) people += page.length;
  return people;
}

async function fetchAll({ configuration: { entra } }: Ends, paths: readonly string[]): Promise<number> {
  const answer = await fetch(`${entra.authorityHost}/${entra.tenantId}/oauth2/v2.0/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "client_credentials",
      client_id: entra.clientId,
      client_secret: entra.clientSecret,
      scope: `${entra.graphUrl}/.default`,
    }),
  });
  const { access_token } = JSON.parse(await answer.text());
  let people = 0;
  for (const path of paths) {
    const page = await fetch(entra.graphUrl + path, { headers: { authorization: `Bearer ${access_token}` } });
    if (!page.ok) throw new Error(`${path} answered ${page.status}`);
    people += JSON.parse(await page.text()).value.length;
  }
  return people;
}
