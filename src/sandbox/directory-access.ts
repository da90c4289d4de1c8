import type { SandboxDatabase } from "./database.ts";
import { seededUUID } from "./random.ts";

/** Groups, applications and their assignments. */
export interface DirectoryAccess {
  /** Creates a security group. Returns its object id. */
  createGroup(name: string, content?: { members?: readonly string[]; groups?: readonly string[] }): string;
  /** Adds a person or a group (nesting) to a group. */
  addMember(groupId: string, memberId: string): void;
  removeMember(groupId: string, memberId: string): void;
  /** Removes a group, its memberships and its assignments. */
  deleteGroup(groupId: string): void;
  /** Object id of the group with this display name. */
  groupByName(name: string): string | undefined;
  /** Object ids of the groups that have this person or group as a direct member. */
  groupsOf(memberId: string): readonly string[];
  /** Creates an enterprise application. Returns the object id of its service principal and its appId. */
  createApplication(name: string): { readonly id: string; readonly appId: string };
  /** The application with this display name. */
  applicationByName(name: string): { readonly id: string; readonly appId: string } | undefined;
  /** Assigns a person or a group to the application (object id of its service principal). */
  assign(applicationId: string, principalId: string): void;
  unassign(applicationId: string, principalId: string): void;
}

interface ApplicationRow {
  readonly id: string;
  readonly appId: string;
}

export function createDirectoryAccess(
  database: SandboxDatabase,
  seed: number,
  isPerson: (id: string) => boolean,
): DirectoryAccess & { forget(id: string): void } {
  const group = database.prepare<[string], { id: string }>("SELECT id FROM directory_group WHERE id = ?");
  const groupByName = database
    .prepare<[string], string>("SELECT id FROM directory_group WHERE display_name = ? ORDER BY seq LIMIT 1")
    .pluck();
  const insertGroup = database.prepare<[string, string]>(
    "INSERT INTO directory_group (id, display_name) VALUES (?, ?)",
  );
  const deleteGroup = database.prepare<[string]>("DELETE FROM directory_group WHERE id = ?");
  const insertMember = database.prepare<[string, string, string]>(
    "INSERT OR IGNORE INTO member (group_id, member_id, kind) VALUES (?, ?, ?)",
  );
  const deleteMember = database.prepare<[string, string]>(
    "DELETE FROM member WHERE group_id = ? AND member_id = ?",
  );
  const memberOf = database
    .prepare<[string], string>("SELECT group_id FROM member WHERE member_id = ? ORDER BY group_id")
    .pluck();
  const application = database.prepare<[string], { id: string }>("SELECT id FROM application WHERE id = ?");
  const applicationByName = database.prepare<[string], ApplicationRow>(
    "SELECT id, app_id AS appId FROM application WHERE display_name = ? ORDER BY seq LIMIT 1",
  );
  const insertApplication = database.prepare<[string, string, string]>(
    "INSERT INTO application (id, app_id, display_name) VALUES (?, ?, ?)",
  );
  const insertAssignment = database.prepare<[string, string, string, string]>(
    "INSERT OR IGNORE INTO assignment (id, application_id, principal_id, principal_type) VALUES (?, ?, ?, ?)",
  );
  const deleteAssignment = database.prepare<[string, string]>(
    "DELETE FROM assignment WHERE application_id = ? AND principal_id = ?",
  );
  const forgetMembers = database.prepare<{ id: string }>(
    "DELETE FROM member WHERE member_id = @id OR group_id = @id",
  );
  const forgetAssignments = database.prepare<[string]>("DELETE FROM assignment WHERE principal_id = ?");

  const number = (table: "directory_group" | "application" | "assignment"): number =>
    database
      .prepare<[string], number>("SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = ?), 0) + 1")
      .pluck()
      .get(table) ?? 1;
  const kindOf = (id: string): "user" | "group" => {
    if (group.get(id) !== undefined) return "group";
    if (isPerson(id)) return "user";
    throw new Error(`The sandbox's directory has no person and no group with the id ${id}.`);
  };
  const needGroup = (id: string): void => {
    if (group.get(id) === undefined)
      throw new Error(`The sandbox's directory has no group with the id ${id}.`);
  };
  const forget = (id: string): void => {
    forgetMembers.run({ id });
    forgetAssignments.run(id);
  };

  const access: DirectoryAccess = {
    createGroup: (name, content = {}) => {
      const id = seededUUID(seed, "group", number("directory_group"));
      insertGroup.run(id, name);
      for (const member of [...(content.members ?? []), ...(content.groups ?? [])])
        access.addMember(id, member);
      return id;
    },
    addMember: (groupId, memberId) => {
      needGroup(groupId);
      insertMember.run(groupId, memberId, kindOf(memberId));
    },
    removeMember: (groupId, memberId) => {
      needGroup(groupId);
      deleteMember.run(groupId, memberId);
    },
    deleteGroup: (groupId) => {
      needGroup(groupId);
      forget(groupId);
      deleteGroup.run(groupId);
    },
    groupByName: (name) => groupByName.get(name),
    groupsOf: (memberId) => memberOf.all(memberId),
    createApplication: (name) => {
      const count = number("application");
      const created = {
        id: seededUUID(seed, "servicePrincipal", count),
        appId: seededUUID(seed, "application", count),
      };
      insertApplication.run(created.id, created.appId, name);
      return created;
    },
    applicationByName: (name) => applicationByName.get(name),
    assign: (applicationId, principalId) => {
      if (application.get(applicationId) === undefined) {
        throw new Error(
          `The sandbox's directory has no enterprise application with the object id ${applicationId}.`,
        );
      }
      const type = kindOf(principalId) === "group" ? "Group" : "User";
      insertAssignment.run(
        seededUUID(seed, "assignment", number("assignment")),
        applicationId,
        principalId,
        type,
      );
    },
    unassign: (applicationId, principalId) => {
      deleteAssignment.run(applicationId, principalId);
    },
  };
  return { ...access, forget };
}
