/**
 * A failure that a user can act on: what was expected, what was seen, what to do. It is shown without a stack trace.
 * Anything else that is thrown is a defect of this program.
 */
export class OperationError extends Error {
  override readonly name = "OperationError";
}

/** The text of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
