import { join } from "node:path";

const PROJECT_DIRECTORY = join(import.meta.dirname, "..");

/**
 * To be asked by whatever is removed first when a stack is destroyed.
 * @throws OperationError when the stack has volumes that are protected.
 */
export async function refuseProtected(stack: string): Promise<void> {
  // Loaded only now: it starts processes, and most updates never need it.
  const { exportState, requireUnprotected } = await import("../operations/pulumi-state.ts");
  requireUnprotected(await exportState({ projectDirectory: PROJECT_DIRECTORY, stack }));
}
