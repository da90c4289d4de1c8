import { chmodSync } from "node:fs";
import { dirname, join } from "node:path";
import { bundle } from "./bundle.ts";

// Makes dist/.

const dist = join(dirname(import.meta.dirname), "dist");
await bundle(dist);
chmodSync(join(dist, "start.cjs"), 0o755);
