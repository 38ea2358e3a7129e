import type { Copy } from "../operations/copy-restored.ts";
import { OperationError } from "../operations/errors.ts";
import type { WantedTarget } from "../operations/restore.ts";

/** The options of `npm run restore`. */
export interface RestoreArguments {
  readonly stack?: string;
  readonly at?: string;
  readonly backup?: string;
  readonly name?: string;
  readonly lsn?: string;
  readonly latest?: boolean;
  readonly database?: string;
  readonly table?: string;
  readonly into?: string;
  readonly replace?: boolean;
  readonly remove?: boolean;
}

/**
 * What is to be reached.
 * @throws OperationError unless it is said in exactly one way.
 */
export function targetOf({ at, backup, name, lsn, latest }: RestoreArguments, usage: string): WantedTarget {
  const targets: WantedTarget[] = [
    ...(at === undefined ? [] : [{ kind: "time", at } as const]),
    ...(backup === undefined ? [] : [{ kind: "backup", id: backup } as const]),
    ...(name === undefined ? [] : [{ kind: "name", name } as const]),
    ...(lsn === undefined ? [] : [{ kind: "lsn", lsn } as const]),
    ...(latest === true ? [{ kind: "latest" } as const] : []),
  ];
  const [target] = targets;
  if (target !== undefined && targets.length === 1) return target;
  throw new OperationError(
    `expected one of --at, --name, --lsn, --backup and --latest, but got ${targets.length}.\n\n${usage}`,
  );
}

/**
 * What is to be copied into the running primary; null: nothing is, and the restored node stays.
 * @throws OperationError for options that do not go together.
 */
export function copyOf({ database, table, into, replace }: RestoreArguments): Copy | null {
  if (database === undefined) {
    if (table === undefined && into === undefined && replace !== true) return null;
    throw new OperationError("expected --database with --table, --into and --replace: it says what is copied.");
  }
  if ((into === undefined) === (replace !== true)) {
    throw new OperationError("expected either --into NAME or --replace with --database.");
  }
  if (table !== undefined && !/^[^.]+\.[^.]+$/.test(table)) {
    throw new OperationError(`expected a table with its schema, such as public.orders, but got "${table}".`);
  }
  return { database, table: table ?? null, into: into ?? null };
}
