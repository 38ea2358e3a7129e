import { type Finding, problem } from "../findings.ts";
import type { KeyPath } from "../key-path.ts";
import type { StackFileDraft } from "../stack-file.ts";
import type { Check } from "./check.ts";

/** What production is held to, each with its reason. */
export const checkPolicy: Check = (file) => {
  if (file.policy !== "production") return [];
  return [...publishing(file), ...synchronous(file), ...backups(file), ...protection(file)];
};

const refused = (path: KeyPath, what: string, fix: string): Finding[] => [
  problem(path, { what: `${what}, which \`policy: production\` refuses`, fix }),
];

function publishing({ network }: StackFileDraft): readonly Finding[] {
  if (network?.bindAddress !== "0.0.0.0") return [];
  return refused(
    ["network", "bindAddress"],
    "it publishes the servers on all addresses of the host, past its firewall (Docker's rules come before it)",
    "Name the address of the network that clients come from.",
  );
}

function synchronous({ replication }: StackFileDraft): readonly Finding[] {
  if (replication?.synchronous?.mode !== "async") return [];
  return refused(
    ["replication", "synchronous", "mode"],
    "a write is confirmed while no standby has it, and lost with the primary",
    "Write for example { mode: quorum, count: 1 }.",
  );
}

function backups({ backup, drill }: StackFileDraft): readonly Finding[] {
  if (backup?.enabled === false) {
    return refused(["backup", "enabled"], "a row deleted by mistake is deleted on every standby", "Write true.");
  }
  if (drill?.enabled !== false) return [];
  return refused(["drill", "enabled"], "a backup that was never restored may be none", "Write true.");
}

function protection({ deletionProtection }: StackFileDraft): readonly Finding[] {
  if (deletionProtection !== false) return [];
  return refused(["deletionProtection"], "pulumi destroy would remove the data", "Write true.");
}
