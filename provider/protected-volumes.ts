import { join } from "node:path";
import { OperationError } from "../operations/errors.ts";

const PROJECT_DIRECTORY = join(import.meta.dirname, "..");

/**
 * To be asked by whatever is removed first when a stack is destroyed.
 * @throws OperationError when the stack has volumes that are protected.
 */
export async function refuseProtected(stack: string): Promise<void> {
  // Loaded only now: it starts processes, and most updates never need it.
  const { protectedVolumes } = await import("../operations/pulumi-state.ts");
  const volumes = await protectedVolumes({ projectDirectory: PROJECT_DIRECTORY, stack });
  if (volumes.length === 0) return;
  throw new OperationError(
    `the stack cannot be deleted: its data volumes ${volumes.join(", ")} are protected. Set \`deletionProtection: false\` in the stack file and run an update first. Nothing was removed.`,
  );
}
