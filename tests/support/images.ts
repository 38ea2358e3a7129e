import { execa } from "execa";

/** An image without a single file, but with these instructions of a Dockerfile (ENV, ENTRYPOINT ...). */
export async function emptyImage(name: string, ...instructions: string[]): Promise<void> {
  const changes = instructions.flatMap((instruction) => ["--change", instruction]);
  await execa("docker", ["import", ...changes, "-", name], { input: Buffer.alloc(1024) });
}

/** An image that begins with another one. Packages are fetched by the host's network: not every engine leads a build to one. */
export async function derivedImage(name: string, from: string, ...instructions: string[]): Promise<void> {
  const dockerfile = [`FROM ${from}`, ...instructions].join("\n");
  await execa("docker", ["build", "--network", "host", "--tag", name, "-"], { input: dockerfile });
}

export async function removeImages(...names: string[]): Promise<void> {
  await execa("docker", ["image", "rm", "--force", ...names], { reject: false });
}
