import type { Finding } from "./findings.ts";
import { pathText } from "./key-path.ts";
import type { Deployment } from "./deployment.ts";

/** The one message about everything that is wrong with a stack file. */
export function problemsMessage(problems: readonly Finding[], { project, stack }: Deployment): string {
  const count = problems.length === 1 ? "a problem" : `${problems.length} problems`;
  const heading = `The stack file of stack ${stack} has ${count}:`;
  return [heading, ...problems.map((finding) => problemText(finding, project))].join("\n\n");
}

/** One problem, on as many lines as it needs. */
export function problemText(finding: Finding, project: string): string {
  const lines = [`  ${keyText(finding, project)}: ${finding.what}.`];
  if (finding.allowed !== null) lines.push(`      Allowed: ${finding.allowed}.`);
  lines.push(`      ${finding.fix}`);
  return lines.join("\n");
}

/** A warning on one line. */
export function warningText(finding: Finding, project: string): string {
  return `${keyText(finding, project)}: ${finding.what}. ${finding.fix}`;
}

/** The key that a finding is about, with its namespace. */
export function keyText({ path }: Finding, project: string): string {
  if (path.length === 0) return "the stack's name";
  const [first] = path;
  const hasOwnNamespace = typeof first === "string" && first.includes(":");
  return hasOwnNamespace ? pathText(path) : `${project}:${pathText(path)}`;
}
