import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { execa } from "execa";
import { PROJECT_DIRECTORY } from "./project.ts";

export interface DelayedLink {
  /** This machine's end of the link to a host. */
  readonly link: string;
  /** That it is a port of. */
  readonly bridge: string;
  readonly milliseconds: number;
  readonly lostPercent: number;
}

const ip = async (...args: string[]): Promise<void> => {
  await execa("ip", args);
};

/**
 * Stands between a link and its bridge: the link becomes a port of a bridge of its own, and the line joins the two. Its
 * ends are TAP interfaces, which get each frame as it is on a wire: none is a burst that is cut into frames only later.
 */
export class DelayLine {
  readonly #process: ChildProcess;
  readonly #delayed: DelayedLink;

  private constructor(process: ChildProcess, delayed: DelayedLink) {
    this.#process = process;
    this.#delayed = delayed;
  }

  static async open(delayed: DelayedLink): Promise<DelayLine> {
    const { link, bridge, milliseconds, lostPercent } = delayed;
    const [near, far, own] = [`${link}a`, `${link}b`, ownBridge(link)];
    const script = join(PROJECT_DIRECTORY, "tests", "support", "delay-line.pl");
    const line = spawn("perl", [script, near, far, String(milliseconds), String(lostPercent)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = once(line, "exit").then(() => Promise.reject(new Error("the delay line has ended")));
    await Promise.race([once(line.stdout, "data"), ended]);
    ended.catch(() => undefined);
    try {
      await ip("link", "add", own, "type", "bridge");
      await ip("link", "set", near, "master", bridge, "up");
      await ip("link", "set", far, "master", own, "up");
      await ip("link", "set", own, "up");
      await execa("iptables", ["-I", "FORWARD", "-i", own, "-j", "ACCEPT"]);
      await execa("iptables", ["-t", "raw", "-I", ...untracked(own)]);
      await ip("link", "set", link, "master", own);
      return new DelayLine(line, delayed);
    } catch (error) {
      line.kill();
      throw error;
    }
  }

  async close(): Promise<void> {
    const { link, bridge } = this.#delayed;
    await ip("link", "set", link, "master", bridge);
    await execa("iptables", ["-D", "FORWARD", "-i", ownBridge(link), "-j", "ACCEPT"]);
    await execa("iptables", ["-t", "raw", "-D", ...untracked(ownBridge(link))]);
    await ip("link", "delete", ownBridge(link));
    const ended = once(this.#process, "exit");
    this.#process.kill();
    await ended;
  }
}

/**
 * Where Docker has bridges call iptables, what comes over the line passes it twice: only where it leaves the line may its
 * address be translated to that of a container.
 */
const untracked = (bridge: string): string[] => ["PREROUTING", "-i", bridge, "-j", "CT", "--notrack"];

const ownBridge = (link: string): string => `${link}c`;
