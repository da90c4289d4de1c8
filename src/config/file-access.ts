import { existsSync, realpathSync, type Stats, statfsSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Environment } from "./environment.ts";

/** A file that the program trusts. */
export interface TrustedFile {
  readonly path: string;
  /** How messages name it. */
  readonly name: string;
  /** The content that other users of the machine must not read, in words; `null` if reading it does no harm. */
  readonly holds: "credentials" | "a credential" | "personal data" | null;
}

/** The meaning of file modes on this machine. */
export interface Machine {
  /** `true` if files have an owner, a group and others. */
  readonly posix: boolean;
  /** In a container, volume folders are usually open to all users, and there are no other users. */
  readonly container: boolean;
}

export function thisMachine(environment: Environment): Machine {
  return {
    posix: process.getuid !== undefined,
    container:
      // Podman, LXC and this program's image set `container`; not every platform leaves a sign in the file system.
      [environment.KUBERNETES_SERVICE_HOST, environment.container].some((one = "") => one !== "") ||
      ["/.dockerenv", "/run/.containerenv"].some((sign) => existsSync(sign)),
  };
}

/*
 * "Others" means only the third digit of a mode. A group is the administrator's choice: Kubernetes gives secrets to the
 * group of the pod (fsGroup), and with the umask 002 of many systems a clone is writable by its owner's own group.
 */
const othersRead = 0o004;
const othersWrite = 0o002;
const othersEnter = 0o001;
const stickyBit = 0o1000;

/**
 * The access that other users of this machine have to existing files. A user who can write one of them decides where the
 * credentials go, or whose account is switched off.
 * @returns `problems` if one can be written or replaced; `notes`, in sentences, if one can be read, or if the file system has
 * no modes of its own
 */
export function judgeAccess(
  files: readonly TrustedFile[],
  machine: Machine,
): { readonly problems: readonly string[]; readonly notes: readonly string[] } {
  const problems: string[] = [];
  const notes: string[] = [];
  const openFolders = new Set<string>();
  if (!machine.posix) return { problems: [], notes: [] };
  for (const file of files) {
    const folders = foldersOf(file.path);
    const open = machine.container ? undefined : folders.find(isOpen);
    if (open !== undefined && !openFolders.has(open.path)) {
      openFolders.add(open.path);
      problems.push(
        `the folder ${open.path} can be written by every user of this machine (mode ${modeOf(open.stats)}), so that anyone could replace ${file.name}: run chmod o-w ${open.path}`,
      );
    }
    const stats = statsOf(file.path);
    if (stats?.isFile() !== true) continue;
    const mode = modeOf(stats);
    if ((stats.mode & othersWrite) !== 0) {
      if (hasModes(file.path)) {
        problems.push(
          `${file.name} can be written by every user of this machine (mode ${mode}), and it decides where credentials are sent and whose account is changed: run chmod o-w ${file.path}`,
        );
      } else {
        notes.push(
          `${file.name} can be written by every user of this machine (mode ${mode}), because of how its file system is mounted. Mount it so that only this user can write it.`,
        );
      }
    } else if (
      (stats.mode & othersRead) !== 0 &&
      file.holds !== null &&
      folders.every(canBeEntered) &&
      !isGivenByPlatform(file.path)
    ) {
      notes.push(
        `${file.name} holds ${file.holds} and can be read by every user of this machine (mode ${mode}): run chmod o-r ${file.path}.`,
      );
    }
  }
  return { problems, notes };
}

interface Folder {
  readonly path: string;
  readonly stats: Stats;
  /** `true` if others can reach it. */
  readonly reachable: boolean;
}

/** The folders above a file, outermost first: those of its name, and those of its real path if links lead there. */
function foldersOf(path: string): readonly Folder[] {
  const named = resolve(path);
  const real = statsOf(named) === undefined ? named : realpathSync(named);
  return (named === real ? [named] : [named, real]).flatMap((one) => {
    let reachable = true;
    return ancestorsOf(one).flatMap((folder) => {
      const stats = statsOf(folder);
      if (stats === undefined) return [];
      const found = { path: folder, stats, reachable };
      reachable &&= canBeEntered(found);
      return [found];
    });
  });
}

/** `undefined` if this user cannot look at it: the code that needs the file reports what is wrong. */
function statsOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function ancestorsOf(path: string): readonly string[] {
  const folder = dirname(path);
  return folder === path ? [] : [...ancestorsOf(folder), folder];
}

/** In a sticky folder such as `/tmp`, others can add files and replace only their own. */
function isOpen({ path, stats, reachable }: Folder): boolean {
  const write = othersWrite | othersEnter;
  return reachable && (stats.mode & write) === write && (stats.mode & stickyBit) === 0 && hasModes(path);
}

function canBeEntered({ stats }: { readonly stats: Stats }): boolean {
  return (stats.mode & othersEnter) !== 0;
}

/** `statfs` types of file systems whose modes come from how they are mounted: 9p, FUSE, SMB, FAT, NTFS, shares of virtual machines. */
const modeless: ReadonlySet<number> = new Set([
  0x01021997, 0x65735546, 0xff534d42, 0xfe534d42, 0x517b, 0x4d44, 0x2011bab0, 0x5346544e, 0x7366746e,
  0x786f4256,
]);

function hasModes(path: string): boolean {
  return !modeless.has(statfsSync(path).type);
}

/** The folders in which container platforms put secrets, with modes of their own choice and no other users. */
function isGivenByPlatform(path: string): boolean {
  return /^(?:\/var)?\/run\/secrets\//.test(resolve(path));
}

function modeOf({ mode }: Stats): string {
  return (mode & 0o7777).toString(8).padStart(4, "0");
}
