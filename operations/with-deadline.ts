import { OperationError } from "./errors.ts";

/**
 * The result of some work, if it comes in time. Work that is late is not stopped, only not waited for.
 * @param failure what the error says, before "in N s".
 */
export async function withDeadline<T>(work: Promise<T>, seconds: number, failure: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new OperationError(`${failure} in ${seconds} s`)), seconds * 1000);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
