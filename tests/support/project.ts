import { join } from "node:path";

/** The folder of Pulumi.yaml. */
export const PROJECT_DIRECTORY = join(import.meta.dirname, "..", "..");

export const PROJECT_NAME = "pg-topology";
