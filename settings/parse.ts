import { checkAcknowledge } from "./checks/acknowledge.ts";
import { checkBackup } from "./checks/backup.ts";
import { checkMonitoring } from "./checks/monitoring.ts";
import type { Check } from "./checks/check.ts";
import { checkImage } from "./checks/image.ts";
import { checkHosts } from "./checks/hosts.ts";
import { checkInitdb } from "./checks/initdb.ts";
import { checkAddresses, checkSubnet } from "./checks/network.ts";
import { checkAccessRules, checkNames } from "./checks/names.ts";
import { checkNodes } from "./checks/nodes.ts";
import { checkOwnAuthority } from "./checks/own-authority.ts";
import { checkParameters } from "./checks/parameters.ts";
import { checkPolicy } from "./checks/policy.ts";
import { checkConnectionLimit, checkIncludeBackup, checkSynchronous } from "./checks/replication.ts";
import { checkUpstream } from "./checks/upstream.ts";
import {
  configuredSections,
  isSecretSection,
  namespaceFindings,
  secrecyFindings,
  type StackConfiguration,
} from "./configuration.ts";
import type { Finding } from "./findings.ts";
import { type KeyPath, pathText } from "./key-path.ts";
import { resolve } from "./resolve.ts";
import type { Settings } from "./settings.ts";
import { stackFile } from "./stack-file.ts";
import { TolerantReader } from "./tolerant-reader.ts";

export type ParseResult =
  | { readonly ok: true; readonly settings: Settings; readonly warnings: readonly Finding[] }
  | { readonly ok: false; readonly problems: readonly Finding[] };

const CHECKS: readonly Check[] = [
  checkImage,
  checkHosts,
  checkNodes,
  checkUpstream,
  checkSubnet,
  checkAddresses,
  checkNames,
  checkConnectionLimit,
  checkSynchronous,
  checkIncludeBackup,
  checkParameters,
  checkAccessRules,
  checkInitdb,
  checkOwnAuthority,
  checkAcknowledge,
  checkBackup,
  checkPolicy,
  checkMonitoring,
];

const KEYS: readonly string[] = Object.keys(stackFile.shape);

/** What a stack file says, complete; or everything that is wrong with it. */
export function parseStackFile(configuration: StackConfiguration): ParseResult {
  const reader = new TolerantReader(([section]) => isSecretSection(section));
  const draft = reader.read(stackFile, configuredSections(configuration));
  if (draft === undefined) throw new Error("the top of a stack file is always a mapping");
  const readFindings = [...namespaceFindings(configuration), ...secrecyFindings(configuration), ...reader.findings];
  const refused = new Set(readFindings.map(({ path }) => pathText(path)));
  const context = { ...configuration, isRefused: (path: KeyPath) => refused.has(pathText(path)) };
  const findings = [...readFindings, ...CHECKS.flatMap((check) => check(draft, context))];

  const problems = findings.filter(({ severity }) => severity === "problem");
  if (problems.length > 0) return { ok: false, problems: inOrderOfTheFile(problems) };
  return { ok: true, settings: resolve(stackFile.parse(draft)), warnings: inOrderOfTheFile(findings) };
}

/** By section as the schema lists them, then by place in a list. */
function inOrderOfTheFile(findings: readonly Finding[]): readonly Finding[] {
  return findings.toSorted(
    (left, right) => sectionRank(left) - sectionRank(right) || listPlace(left) - listPlace(right),
  );
}

function sectionRank({ path: [section] }: Finding): number {
  const rank = KEYS.indexOf(String(section));
  return rank === -1 ? KEYS.length : rank;
}

function listPlace({ path: [, place] }: Finding): number {
  return typeof place === "number" ? place : -1;
}
