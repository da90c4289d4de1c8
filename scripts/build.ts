import { dirname, join } from "node:path";
import { bundle } from "./bundle.ts";

// Makes dist/.

await bundle(join(dirname(import.meta.dirname), "dist"));
