import { ConfigurationError } from "../domain/errors.ts";
import { rolesOf, type TokenProvider } from "./credential.ts";
import { isSecurityAttributes, type Selection } from "./selection.ts";

/** The least application permission for reading custom security attributes (Graph permissions reference). */
export const securityAttributePermission = "CustomSecAttributeAssignment.Read.All";

const sufficient: readonly string[] = [
  securityAttributePermission,
  "CustomSecAttributeAssignment.ReadWrite.All",
];

/**
 * Makes sure that custom security attributes can be seen if they are selected: to an application without the permission
 * all users seem to have none ("Assign, update, list, or remove custom security attributes for a user"), which must not
 * clear anything.
 * @throws ConfigurationError if the token says that it lacks the permission
 */
export async function requireSecurityAttributes(
  { properties, host }: Selection,
  tokens: TokenProvider,
  signal: AbortSignal,
): Promise<void> {
  if (!properties.some(isSecurityAttributes)) return;
  const roles = rolesOf((await tokens.get(signal)).token);
  if (roles === undefined || roles.some((role) => sufficient.includes(role))) return;
  throw new ConfigurationError(
    `The mapping uses custom security attributes, but the application may not read them (Graph at ${host} would leave them out without an error). Add the application permission ${securityAttributePermission} to the app registration and grant admin consent.`,
  );
}
