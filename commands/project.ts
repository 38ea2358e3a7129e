import { join } from "node:path";

/** The folder of Pulumi.yaml. */
export const PROJECT_DIRECTORY = join(import.meta.dirname, "..");

export const DEFAULT_STACK = "dev";

/** The stack's own part of `organization/project/stack`, as back ends with organizations write it. */
export const shortStackName = (stack: string): string => stack.slice(stack.lastIndexOf("/") + 1);
