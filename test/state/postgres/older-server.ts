import { Transform } from "node:stream";
import { type PlainProxy, plainProxy } from "./plain-proxy.ts";
import { sql } from "./sql.ts";

/** A proxy behind which a server says that it is of another version. @param version in PostgreSQL's counting, of six digits */
export async function saysItIs(version: number, url: string): Promise<PlainProxy> {
  const [row] = await sql({ url, schema: "public" }, "SHOW server_version_num");
  const real = String(row?.server_version_num);
  if (real.length !== String(version).length) throw new Error(`${real} has another length than ${version}`);
  return plainProxy(url, (client, upstream) => {
    client.pipe(upstream);
    upstream
      .pipe(
        new Transform({
          // An answer as short as this one comes in one piece.
          transform: (piece: Buffer, _, done) => {
            const at = piece.indexOf(real);
            if (at !== -1) piece.write(String(version), at);
            done(null, piece);
          },
        }),
      )
      .pipe(client);
  });
}
