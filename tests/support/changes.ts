import type { TestStack } from "./stack.ts";

/** What an update, or a preview of one, did to one resource. */
export interface Change {
  readonly op: string;
  /** Without the types of its parents, for example "docker:index/container:Container". */
  readonly type: string;
  readonly name: string;
}

interface EngineEvent {
  readonly resOutputsEvent?: { readonly metadata: EventMetadata };
  readonly diagnosticEvent?: { readonly severity: string; readonly message: string };
}

interface EventMetadata {
  readonly op: string;
  readonly type: string;
  readonly urn: string;
}

export interface Update {
  /** Everything but what stayed the same. */
  readonly changes: readonly Change[];
  /** What it reported about resources: warnings and other lines that stay. */
  readonly messages: readonly string[];
}

/** An update that must succeed, and what it changed, by the engine's own events. */
export async function update(stack: TestStack, ...args: string[]): Promise<Update> {
  const { exitCode, output } = await stack.pulumi(["up", "--yes", "--skip-preview", "--json", ...args]);
  const events = output
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as EngineEvent);
  const messages = events.flatMap(({ diagnosticEvent }) => messageOf(diagnosticEvent));
  if (exitCode !== 0) throw new Error(`the update ended with ${exitCode}:\n${messages.join("\n")}`);
  const changes = events.flatMap(({ resOutputsEvent }) => (resOutputsEvent ? changeOf(resOutputsEvent.metadata) : []));
  return { changes, messages };
}

const messageOf = (event: EngineEvent["diagnosticEvent"]): string[] =>
  event === undefined || event.severity === "debug" ? [] : [event.message.trim()];

/** Changes happen side by side: to compare them they are put in order. */
export const byName = (a: Change, b: Change): number => (a.name < b.name ? -1 : 1);

/** Reading the state anew changes nothing of the world. */
const NOT_CHANGES = new Set(["same", "refresh", "read"]);

function changeOf({ op, type, urn }: EventMetadata): Change[] {
  if (NOT_CHANGES.has(op)) return [];
  return [{ op, type: type.split("$").at(-1) ?? type, name: urn.split("::").at(-1) ?? urn }];
}
