import Table from "cli-table3";
import prettyBytes from "pretty-bytes";
import { takeBackup } from "../operations/backup-server.ts";
import { barman, barmanWords, checkBarman, deleteBackup, keepBackup, listBackups } from "../operations/barman.ts";
import type { Backup } from "../operations/barman.ts";
import { engineOf } from "../operations/engine.ts";
import { OperationError } from "../operations/errors.ts";
import { leaveToPerson } from "../operations/proven-backup.ts";
import { CONFIGURATION_FILES } from "../plan/layout.ts";
import { backupServerOf } from "./backup-server.ts";
import { runCommand } from "./command.ts";
import { DEFAULT_STACK } from "./project.ts";
import { NO_LINES, PLAIN, withoutTrailingBlanks } from "./table.ts";

const USAGE = `usage: npm run backup -- [--stack NAME] now | list | show ID | check | delete ID | keep ID [--release]
Backups of a stack (default: ${DEFAULT_STACK}), by its Barman server; no Pulumi, no passphrase.
  now     takes a base backup, and waits until it can be restored
  list    all backups, newest first
  show    everything that Barman knows of a backup; ID may be latest or oldest too
  check   what Barman checks of itself; exit code 1 if something is not well
  delete  removes a backup, unless fewer than the minimum redundancy would be left
  keep    exempts a backup from the retention policy, and with --release puts it under the policy again`;

await runCommand({
  usage: USAGE,
  options: {
    stack: { type: "string", short: "s", default: DEFAULT_STACK },
    release: { type: "boolean", default: false },
  },
  allowPositionals: true,
  failureExitCode: 1,
  run: async ({ stack, release }, [action = "", id]) => {
    const server = await backupServerOf(stack);
    const docker = engineOf(server);
    switch (action) {
      case "now": {
        const taken = await takeBackup(docker, { ...server, takeBackup: CONFIGURATION_FILES.takeBackup });
        console.log(`${taken.id} can be restored (${prettyBytes(taken.sizeBytes)}).`);
        return 0;
      }
      case "list":
        console.log(backupTable(await listBackups(docker, server)));
        return 0;
      case "show": {
        const { exitCode, stdout, stderr } = await barman(docker, server, "show-backup", server.server, given(id));
        if (exitCode !== 0) throw new OperationError(barmanWords(stdout + stderr));
        console.log(stdout.trimEnd());
        return 0;
      }
      case "check": {
        const checks = await checkBarman(docker, server);
        for (const { what, ok, hint } of checks)
          console.log(`${ok ? "ok    " : "FAILED"}  ${what}${hint && ` (${hint})`}`);
        return checks.every(({ ok }) => ok) ? 0 : 1;
      }
      case "delete":
        await deleteBackup(docker, server, given(id));
        console.log(`${given(id)} is removed.`);
        return 0;
      case "keep":
        await leaveToPerson(docker, server, given(id));
        await keepBackup(docker, server, given(id), release ? "release" : "keep");
        console.log(
          `${given(id)} is ${release ? "under the retention policy again" : "kept, whatever the retention policy says"}.`,
        );
        return 0;
      default:
        throw new OperationError(`expected one of now, list, show, check, delete and keep.\n\n${USAGE}`);
    }
  },
});

function given(id: string | undefined): string {
  if (id !== undefined) return id;
  throw new OperationError("expected the id of a backup, as `npm run backup -- list` shows it.");
}

function backupTable(backups: readonly Backup[]): string {
  if (backups.length === 0) return "There is no backup yet.";
  const table = new Table({
    head: ["backup", "status", "ended", "size", "WAL", "retention"],
    chars: NO_LINES,
    style: PLAIN,
  });
  for (const { id, status, endedAt, sizeBytes, walBytes, retention } of backups) {
    const ended = endedAt === null ? "" : new Date(endedAt).toISOString();
    table.push([id, status, ended, prettyBytes(sizeBytes), prettyBytes(walBytes), retention]);
  }
  return withoutTrailingBlanks(table.toString());
}
