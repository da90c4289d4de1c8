import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";

/**
 * Identifies this process among all processes of any machine, container or time: the boot of the kernel, the pid namespace,
 * the pid and its start. `null` if the system does not show them (only Linux does). A pid alone is not enough: in containers
 * every main process has pid 1, and pids are reused.
 */
export function identifyProcess(): string | null {
  const realm = currentRealm();
  const startedAt = realm === null ? null : startOf(process.pid);
  return realm === null || typeof startedAt !== "string" ? null : `${realm}-${process.pid}-${startedAt}`;
}

/**
 * `true` if the process that identified itself as `identity` has certainly ended. `false` if that cannot be known: the process
 * may run on another machine or in another container, or the system does not show it.
 */
export function hasEnded(identity: string): boolean {
  const [realm, pid, startedAt] = identity.split("-");
  // The number of a pid namespace is reused too, but only after every process in it has ended.
  if (realm === undefined || startedAt === undefined || realm !== currentRealm()) return false;
  if (!exists(Number(pid))) return true;
  const now = startOf(Number(pid));
  return now !== null && now !== startedAt;
}

/** Identifies the kernel's boot and the pid namespace. Within them, a pid means one process at a time. */
function currentRealm(): string | null {
  const bootId = read("/proc/sys/kernel/random/boot_id")?.trim() ?? "";
  const namespace = link("/proc/self/ns/pid");
  // More than one number, or another number: /proc belongs to another namespace and shows other processes.
  const own = /^NSpid:\s*(.*)$/m.exec(read("/proc/self/status") ?? "")?.[1];
  if (!/^[0-9a-f-]{36}$/.test(bootId) || namespace === null || own?.trim() !== String(process.pid))
    return null;
  return createHash("sha256").update(`${bootId} ${namespace}`).digest("hex").slice(0, 16);
}

/**
 * When a process started, in clock ticks since the boot (proc(5), field 22 of `stat`). `ended` for a zombie, which waits for
 * its parent. `null` if that cannot be read, for example other users' processes under `hidepid`.
 */
function startOf(pid: number): string | null {
  const stat = read(`/proc/${pid}/stat`);
  // The second field is the program's name, which may contain spaces and brackets.
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, startedAt] = [fields?.[0], fields?.[19]];
  if (state === "Z" || state === "X") return "ended";
  return startedAt === undefined || !/^\d+$/.test(startedAt) ? null : startedAt;
}

/** Asks the kernel, because what /proc shows depends on how it was mounted. */
function exists(pid: number): boolean {
  if (!Number.isInteger(pid) || pid < 1) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && "code" in error && error.code === "ESRCH");
  }
}

function read(path: string): string | null {
  return orNull(() => readFileSync(path, "utf8"));
}

function link(path: string): string | null {
  return orNull(() => readlinkSync(path));
}

/** `null` if it cannot be read, whatever the reason. */
function orNull(action: () => string): string | null {
  try {
    return action();
  } catch {
    return null;
  }
}
