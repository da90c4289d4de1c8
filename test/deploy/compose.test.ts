import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DCLinter } from "dclint";
import { expect, it } from "vitest";
import { parse } from "yaml";

const file = join(import.meta.dirname, "../../deploy/compose.yaml");

function lint(path: string): readonly string[] {
  const linter = new DCLinter({ rules: {}, quiet: false, debug: false, exclude: [] });
  // The package's types lead to files that it does not hold.
  const results: readonly { readonly messages: readonly { readonly message: string }[] }[] = linter.lintFiles(
    [path],
    false,
  );
  return results.flatMap(({ messages }) => messages.map(({ message }) => message));
}

it("is a compose file in which a linter finds nothing", () => {
  expect(lint(file)).toEqual([]);
});

it("runs read-only and without privileges, and gets its secrets as files", () => {
  const { services, secrets } = parse(readFileSync(file, "utf8"));
  const service = services["azure-lattice-sync"];
  expect(service).toMatchObject({
    read_only: true,
    cap_drop: ["ALL"],
    security_opt: ["no-new-privileges:true"],
    ports: ["127.0.0.1:9464:9464"],
    environment: { ALS_COMMAND: `docker exec ${service.container_name} azure-lattice-sync` },
  });
  // On a disk: a file system in memory would count against mem_limit.
  expect(service.volumes).toContain("temporary:/tmp");
  expect(service.tmpfs).toBeUndefined();
  for (const [name, value] of Object.entries<string>(service.environment)) {
    if (!name.endsWith("_FILE")) continue;
    const secret = value.replace("/run/secrets/", "");
    expect(service.secrets).toContain(secret);
    expect(Object.keys(secrets)).toContain(secret);
  }
});
