import { join } from "node:path";
import type { Plan } from "./plan.ts";

/** Where the certificate that clients of this machine verify servers with is written: beside the program, per stack. */
export const rootCertificatePath = (projectDirectory: string, plan: Plan): string =>
  join(projectDirectory, ".pg-topology", plan.identity.stack, "root.crt");
