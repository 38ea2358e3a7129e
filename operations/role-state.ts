import { OperationError } from "./errors.ts";
import type { SynchronousGuarantee } from "./synchronous.ts";
import { exportState } from "./pulumi-state.ts";
import type { StackReference } from "./pulumi-state.ts";
import type { RoleEnvironment } from "./role-environment.ts";

/** What the last update of a stack left in its state for a change of roles. None of it is secret. */
export interface RoleState {
  readonly environment: RoleEnvironment;
  /** What the primary waits for before it acknowledges a commit; null: for nobody. */
  readonly guarantee: SynchronousGuarantee | null;
}

/** @throws OperationError where no update has come to its end. */
export async function roleState(reference: StackReference): Promise<RoleState> {
  const { deployment } = await exportState(reference);
  const topology = deployment?.resources?.find(({ type }) => type === "pgtopology:index:Topology");
  if (topology === undefined) {
    throw new OperationError(
      `expected a stack ${reference.stack} that an update has brought up, but its state has no topology. npm start brings it up.`,
    );
  }
  const { environment, guarantee } = topology.inputs as unknown as RoleState;
  return { environment, guarantee: guarantee ?? null };
}
