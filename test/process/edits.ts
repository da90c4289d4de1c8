import type { Random } from "../../src/sandbox/random.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";

/** Makes this many random changes in the directory. `everybody`: all object ids that ever existed. */
export function editAtRandom(
  { directory }: Sandbox,
  random: Random,
  everybody: Set<string>,
  { mark, count }: { readonly mark: string; readonly count: number },
): void {
  for (let number = 1; number <= count; number += 1) {
    const known = [...everybody].flatMap((id) => directory.get(id) ?? []);
    const { id, properties, softDeleted } = random.pick(known);
    const manager = random.pick(known);
    const name = `${mark}.${number}`;
    switch (random.int(9)) {
      case 0:
        directory.updateUser(id, { accountEnabled: properties.accountEnabled !== true });
        break;
      case 1:
        if (softDeleted) directory.restore(id);
        else directory.softDelete(id);
        break;
      case 2:
      case 3:
        everybody.add(
          directory.createUser(
            { userPrincipalName: `hired.${name}@example.com`, surname: name },
            manager.softDeleted ? null : manager.id,
          ),
        );
        break;
      case 4:
        directory.updateUser(id, { userPrincipalName: `renamed.${name}@example.com` });
        break;
      case 5:
        if (!softDeleted) directory.setManager(id, manager.softDeleted ? null : manager.id);
        break;
      default:
        directory.updateUser(id, { jobTitle: `Title ${name}`, department: random.chance(0.2) ? null : name });
    }
  }
}
