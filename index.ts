import "./no-debug-log.ts";
import * as pulumi from "@pulumi/pulumi";
import { ApplicationDatabase } from "./components/application-database.ts";
import { BackupServer } from "./components/backup-server.ts";
import { Clients } from "./components/clients.ts";
import { layFoundation } from "./components/foundation.ts";
import { runHooks } from "./components/hooks.ts";
import { Monitoring } from "./components/monitoring.ts";
import { keepObjectives } from "./components/objectives.ts";
import { Primary } from "./components/primary.ts";
import { ReplicationUser } from "./components/replication-user.ts";
import { standbysInOrder } from "./components/standbys.ts";
import { Topology } from "./components/topology.ts";
import { makePlan } from "./plan/make-plan.ts";
import { readSettings } from "./settings/read.ts";

const settings = readSettings();
const plan = makePlan(settings, { project: pulumi.getProject(), stack: pulumi.getStack() });

const foundation = layFoundation(plan, settings, import.meta.dirname);
const first = new Primary(foundation, plan.primary);
const replicationUser = new ReplicationUser("replication-user", foundation, first);
const database = new ApplicationDatabase("database", foundation, first);
const standbys = standbysInOrder(foundation, first, replicationUser);
const clients = new Clients("clients", foundation, import.meta.dirname);
const topology = new Topology("topology", foundation, { primary: first, standbys, database, clients });
runHooks(plan, topology);
const backup = plan.backup && new BackupServer("backup", foundation, plan.backup, first, topology);
keepObjectives(plan, topology, backup);
if (plan.monitoring !== null) {
  new Monitoring("monitoring", foundation, plan.monitoring, first, [first, ...standbys], topology);
}

export const { primary, nodes, replication, timeline, systemIdentifier, lastRestart, lastSwitchover } =
  topology.outputs;
export const lastDrill = backup?.drill?.lastDrill ?? null;
export const drillHistory = backup?.drill?.drillHistory ?? [];
export const { readWriteUri, readOnlyUri } = clients;
export const certificateAuthority = foundation.credentials.authority.trustedPem;
