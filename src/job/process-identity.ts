import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";

/**
 * What tells this process from every other one, of any machine, container or time: the boot of the kernel, the pid
 * namespace, the pid and its start; `null` where the system does not say (Linux alone does). A pid alone would not do:
 * in containers everybody is pid 1, and a pid is given again.
 */
export function identifyProcess(): string | null {
  const realm = currentRealm();
  const startedAt = realm === null ? null : startOf(process.pid);
  return realm === null || typeof startedAt !== "string" ? null : `${realm}-${process.pid}-${startedAt}`;
}

/**
 * Whether the process that called itself `identity` has certainly ended; `false` where that cannot be known: it may run
 * on another machine or in another container, or the system does not say.
 */
export function hasEnded(identity: string): boolean {
  const [realm, pid, startedAt] = identity.split("-");
  // The number of a pid namespace is given again too, but only after every process in it has ended.
  if (realm === undefined || startedAt === undefined || realm !== currentRealm()) return false;
  if (!exists(Number(pid))) return true;
  const now = startOf(Number(pid));
  return now !== null && now !== startedAt;
}

/** The kernel's boot and the pid namespace, within which a pid means one process at a time. */
function currentRealm(): string | null {
  const bootId = read("/proc/sys/kernel/random/boot_id")?.trim() ?? "";
  const namespace = link("/proc/self/ns/pid");
  // More than one number, or another: /proc is that of another namespace, and speaks of other processes.
  const own = /^NSpid:\s*(.*)$/m.exec(read("/proc/self/status") ?? "")?.[1];
  if (!/^[0-9a-f-]{36}$/.test(bootId) || namespace === null || own?.trim() !== String(process.pid))
    return null;
  return createHash("sha256").update(`${bootId} ${namespace}`).digest("hex").slice(0, 16);
}

/**
 * When a process started, in clock ticks since the boot (proc(5), field 22 of `stat`); `ended` for one that waits for its
 * parent to take notice; `null` where that cannot be read, as with other people's processes under `hidepid`.
 */
function startOf(pid: number): string | null {
  const stat = read(`/proc/${pid}/stat`);
  // The second field is the program's name, which may hold spaces and brackets.
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, startedAt] = [fields?.[0], fields?.[19]];
  if (state === "Z" || state === "X") return "ended";
  return startedAt === undefined || !/^\d+$/.test(startedAt) ? null : startedAt;
}

/** Asked of the kernel itself: what /proc shows depends on how it was mounted. */
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

/** Whatever the reason is that it cannot be read, it says nothing then. */
function orNull(action: () => string): string | null {
  try {
    return action();
  } catch {
    return null;
  }
}
