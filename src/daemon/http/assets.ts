import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, gzip } from "node:zlib";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { packageRoot } from "../../process/package-root.ts";

const pageFolder = join(packageRoot, "src/daemon/http/page");
const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** The chart library, unchanged. */
const chartFiles = ["uPlot.iife.min.js", "uPlot.min.css"];

interface Asset {
  readonly type: string;
  readonly plain: Buffer;
  /** Compressed when it is first asked for: most daemons start while no person looks at the page. */
  readonly compressed: Map<"br" | "gzip", Promise<Buffer>>;
}

const compress = { br: promisify(brotliCompress), gzip: promisify(gzip) };

/**
 * Serves the page's files, read once, under a folder named for their content, so that a browser keeps them until they change.
 * They hold nothing that requires sign-in.
 */
export function serveAssets(app: FastifyInstance): void {
  const files = readFiles();
  const digest = createHash("sha256");
  for (const [name, content] of files) digest.update(name).update(content);
  const folder = `/assets/${digest.digest("base64url").slice(0, 16)}`;
  const assets = new Map([...files].map(([name, content]) => [name, asset(name, content)]));
  const html = files.get("index.html")?.toString("utf8").replaceAll("{{assets}}", folder) ?? "";
  const page = asset("index.html", Buffer.from(html));

  app.get("/", (request, reply) => send(page, "no-cache", request, reply));
  app.get<{ Params: { name: string } }>(`${folder}/:name`, (request, reply) => {
    const found = assets.get(request.params.name);
    if (found === undefined) return reply.callNotFound();
    return send(found, "public, max-age=31536000, immutable", request, reply);
  });
}

function readFiles(): Map<string, Buffer> {
  const files = new Map(
    readdirSync(pageFolder)
      .filter((name) => extname(name) in types)
      .sort()
      .map((name) => [name, readFileSync(join(pageFolder, name))]),
  );
  for (const name of chartFiles) files.set(name, readFileSync(join(chartFolder(), name)));
  return files;
}

/** In the built program they are next to it; for the sources they come from a library. */
function chartFolder(): string {
  const { filename, dirname: folder } = import.meta;
  if (!filename.endsWith(".ts")) return folder;
  return join(dirname(createRequire(import.meta.url).resolve("uplot/package.json")), "dist");
}

function asset(name: string, plain: Buffer): Asset {
  const type = types[extname(name)] ?? "application/octet-stream";
  return { type, plain, compressed: new Map() };
}

async function send(
  { type, plain, compressed }: Asset,
  caching: string,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const accepted = request.headers["accept-encoding"] ?? "";
  const encoding = (["br", "gzip"] as const).find((name) => new RegExp(`\\b${name}\\b`).test(accepted));
  if (encoding !== undefined && !compressed.has(encoding)) {
    const content = compress[encoding](plain);
    compressed.set(encoding, content);
    // It is tried again for the next request.
    content.catch(() => compressed.delete(encoding));
  }
  const content = encoding === undefined ? plain : await compressed.get(encoding);
  reply.header("content-type", type).header("cache-control", caching).header("vary", "accept-encoding");
  return encoding === undefined
    ? reply.send(content)
    : reply.header("content-encoding", encoding).send(content);
}
