/**
 * A failure that a user can act on: what was expected, what was seen, what to do. It is shown without a stack trace.
 * Anything else that is thrown is a defect of this program.
 */
export class OperationError extends Error {
  override readonly name = "OperationError";
}

/** As `.catch(noAnswer)`: what a user could act on is taken for no answer, and a defect of this program goes on. */
export function noAnswer(error: unknown): undefined {
  if (error instanceof OperationError) return undefined;
  throw error;
}

/** The text of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
