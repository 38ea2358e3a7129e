import * as pulumi from "@pulumi/pulumi";
import { parseStackFile } from "./parse.ts";
import { problemsMessage, warningText } from "./problems.ts";
import type { Settings } from "./settings.ts";

/**
 * The settings of the stack that is being deployed. This is the only reader of its configuration.
 *
 * @throws pulumi.RunError with all problems of the stack file in one message, which Pulumi prints without a stack trace.
 */
export function readSettings(): Settings {
  const deployment = { project: pulumi.getProject(), stack: pulumi.getStack() };
  const config = pulumi.runtime.allConfig();
  const result = parseStackFile({ ...deployment, config, secretKeys: secretKeys(config) });
  if (!result.ok) throw new pulumi.RunError(problemsMessage(result.problems, deployment));
  for (const finding of result.warnings) void pulumi.log.warn(warningText(finding, deployment.project));
  return result.settings;
}

/** The keys that hold something encrypted. The SDK knows them, but leaves the function out of its published types. */
function secretKeys(config: Readonly<Record<string, string>>): ReadonlySet<string> {
  const { isConfigSecret } = pulumi.runtime as typeof pulumi.runtime & { isConfigSecret: (key: string) => boolean };
  return new Set(Object.keys(config).filter(isConfigSecret));
}
