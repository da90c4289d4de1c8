import { readdirSync } from "node:fs";

// npm run bench -- NAME: runs one of the benches in this folder. Each measures a reference in the same run, because a
// figure alone says more of the machine than of the code.

const names = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(".ts"))
  .map((file) => file.replace(/\.ts$/, ""))
  .filter((name) => name !== "run" && name !== "program");
const name = process.argv[2];
if (name === undefined || !names.includes(name)) {
  process.stderr.write(`Which bench? npm run bench -- ${names.join(" | ")}\n`);
  process.exitCode = 64;
} else {
  await import(`./${name}.ts`);
}
