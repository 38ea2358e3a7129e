import type { AnyHandler } from "../dispatcher.ts";
import { backupServerHandler } from "./backup-server.ts";
import { baseBackupHandler } from "./base-backup.ts";
import { certificateAuthorityHandler } from "./certificate-authority.ts";
import { clientFileHandler } from "./client-file.ts";
import { containerTurnHandler } from "./container-turn.ts";
import { databaseClusterHandler } from "./database-cluster.ts";
import { databaseHandler } from "./database.ts";
import { dockerEngineHandler } from "./docker-engine.ts";
import { hostImageHandler } from "./host-image.ts";
import { objectivesHandler } from "./objectives.ts";
import { parameterCheckHandler } from "./parameter-check.ts";
import { passwordHandler } from "./password.ts";
import { restoreDrillHandler } from "./restore-drill.ts";
import { roleHandler } from "./role.ts";
import { serverCertificateHandler } from "./server-certificate.ts";
import { serverHandler } from "./server.ts";
import { topologyHandler } from "./topology.ts";
import { volumeFilesHandler } from "./volume-files.ts";

/** Every resource type of the provider, by its type token. */
export const handlers: ReadonlyMap<string, AnyHandler> = new Map<string, AnyHandler>([
  ["pgtopology:index:BackupServer", backupServerHandler],
  ["pgtopology:index:BaseBackup", baseBackupHandler],
  ["pgtopology:index:CertificateAuthority", certificateAuthorityHandler],
  ["pgtopology:index:ClientFile", clientFileHandler],
  ["pgtopology:index:ContainerTurn", containerTurnHandler],
  ["pgtopology:index:Database", databaseHandler],
  ["pgtopology:index:DatabaseCluster", databaseClusterHandler],
  ["pgtopology:index:DockerEngine", dockerEngineHandler],
  ["pgtopology:index:HostImage", hostImageHandler],
  ["pgtopology:index:Objectives", objectivesHandler],
  ["pgtopology:index:ParameterCheck", parameterCheckHandler],
  ["pgtopology:index:Password", passwordHandler],
  ["pgtopology:index:RestoreDrill", restoreDrillHandler],
  ["pgtopology:index:Role", roleHandler],
  ["pgtopology:index:Server", serverHandler],
  ["pgtopology:index:ServerCertificate", serverCertificateHandler],
  ["pgtopology:index:Topology", topologyHandler],
  ["pgtopology:index:VolumeFiles", volumeFilesHandler],
]);
