import { z } from "zod";
import type { Draft } from "./draft.ts";
import { rules } from "./rules.ts";
import { accessRules } from "./sections/access-rules.ts";
import { acknowledge } from "./sections/acknowledge.ts";
import { backup } from "./sections/backup.ts";
import { bootstrap } from "./sections/bootstrap.ts";
import { certificateAuthority } from "./sections/certificate-authority.ts";
import { database } from "./sections/database.ts";
import { drill } from "./sections/drill.ts";
import { DEFAULT_IMAGE, image, postgresMajor } from "./sections/image.ts";
import { guard } from "./sections/guard.ts";
import { hooks } from "./sections/hooks.ts";
import { hosts } from "./sections/hosts.ts";
import { initdb } from "./sections/initdb.ts";
import { monitoring } from "./sections/monitoring.ts";
import { network } from "./sections/network.ts";
import { nodes, primary } from "./sections/nodes.ts";
import { objectives } from "./sections/objectives.ts";
import { ownAuthority } from "./sections/own-authority.ts";
import { parameters } from "./sections/parameters.ts";
import { passwords } from "./sections/passwords.ts";
import { policy } from "./sections/policy.ts";
import { replication } from "./sections/replication.ts";
import { archiving, deletionProtection } from "./sections/switches.ts";

/** Names that the design keeps for later versions, and what they will bring. */
const LATER: Readonly<Record<string, string>> = {
  failover: "automatic failover",
};

/** A stack file as its author writes it: every value by itself. Rules across keys are in `checks/`. */
export const stackFile = z
  .strictObject({
    image: image.default(DEFAULT_IMAGE),
    postgresMajor: postgresMajor.optional(),
    primary,
    hosts: hosts.default({}),
    nodes,
    network: network.prefault({}),
    database: database.prefault({}),
    replication: replication.prefault({}),
    parameters: parameters.default({}),
    accessRules: accessRules.default([]),
    archiving: archiving.prefault({}),
    backup: backup.prefault({}),
    drill: drill.prefault({}),
    objectives: objectives.prefault({}),
    bootstrap: bootstrap.prefault({}),
    monitoring: monitoring.prefault({}),
    guard: guard.prefault({}),
    hooks: hooks.prefault({}),
    initdb: initdb.prefault({}),
    passwords: passwords.prefault({}),
    certificateAuthority: certificateAuthority.prefault({}),
    ownAuthority: ownAuthority.prefault({}),
    deletionProtection: deletionProtection.default(false),
    policy: policy.default("none"),
    acknowledge: acknowledge.prefault({}),
  })
  .register(rules, {
    what: "a mapping",
    allowed: "the keys of this program",
    fix: "See Pulumi.yaml for all keys.",
    later: LATER,
  });

export type StackFile = z.output<typeof stackFile>;
export type StackFileDraft = NonNullable<Draft<StackFile>>;
export type NodeDraft = NonNullable<NonNullable<StackFileDraft["nodes"]>[number]>;
