import { expect, it } from "vitest";
import { playCuts } from "./cut-cycles.ts";
import { cuttingProxy } from "./cutting-proxy.ts";
import { freshPlace } from "./place.ts";

// `npm run cut-connections` plays others, and more.
const seeds = [1, 2, 3, 4, 5, 6];

it("loses nothing and makes no account twice if a connection to PostgreSQL is cut at any message of a cycle, of either side", async () => {
  let cut = 0;
  for (const seed of seeds) {
    const place = await freshPlace();
    const proxy = await cuttingProxy(place.url);
    const played = await playCuts({ ...place, url: proxy.url }, proxy, seed);
    expect(played.wrongs, `seed ${seed}`).toEqual([]);
    cut += played.cut;
    await proxy.close();
  }
  expect(cut).toBeGreaterThan(seeds.length);
});
