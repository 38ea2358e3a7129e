import type Docker from "dockerode";
import { OperationError } from "./errors.ts";
import { execIn } from "./exec.ts";

/** What is free, in bytes, of the file system that a path in a container lies on. */
export async function freeBytesAt(docker: Docker, container: string, path: string): Promise<number> {
  const command = ["df", "--output=avail", "--block-size=1", path];
  const { stdout, stderr } = await execIn(docker, { container, user: "postgres", command });
  const free = Number(stdout.trim().split("\n").at(-1));
  if (stdout !== "" && Number.isInteger(free)) return free;
  throw new OperationError(`what is free at ${path} in ${container} cannot be told: ${stderr.trim()}`);
}
