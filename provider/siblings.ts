import { readFile, readdir } from "node:fs/promises";

/**
 * Ends the other plugins of an engine that is gone. By themselves they notice only at their next look after it, which
 * may be five minutes away, and what one of them still has in hand would be done behind the back of the next update.
 * They are those that have the engine's address on their command line, and that lost their parent as this process did.
 * Where there is no /proc they are left to themselves.
 * @param address of the engine, host:port.
 */
export async function endSiblings(address: string): Promise<void> {
  const processes = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name)).map(Number);
  for (const pid of processes) {
    if (pid !== process.pid && (await isSibling(pid, address))) terminate(pid);
  }
}

async function isSibling(pid: number, address: string): Promise<boolean> {
  const [commandLine, stat] = await Promise.all([
    readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => ""),
    readFile(`/proc/${pid}/stat`, "utf8").catch(() => ""),
  ]);
  return commandLine.split("\0").includes(address) && parentOf(stat) === process.ppid;
}

/** The name of the program, in parentheses, may hold anything: what follows it is state, parent and so on (proc(5)). */
function parentOf(stat: string): number {
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
}

function terminate(pid: number): void {
  try {
    process.kill(pid, "SIGTERM");
  } catch {
    // It has just ended by itself.
  }
}
