import prettyBytes from "pretty-bytes";
import type { BackupStatus, NodeStatus, StackStatus } from "../operations/status-schema.ts";

/** Who streams from whom, with a place for each: the primary left, what streams from it in the next column. */
export interface Graph {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly Box[];
  readonly edges: readonly Edge[];
  /** The same in words, for those who do not see it. */
  readonly summary: string;
}

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly name: string;
  /** As much of the name as has room. */
  readonly title: string;
  readonly lines: readonly { readonly y: number; readonly text: string }[];
  readonly look: Look;
}

export interface Edge {
  /** Of an SVG path. */
  readonly path: string;
  readonly look: Look;
}

/** primary: takes writes; ok: streams; trouble: does not, or not over TLS; silent: its server does not answer. */
type Look = "primary" | "ok" | "trouble" | "silent";

const BOX = { width: 190, height: 84 };
const GAP = { x: 56, y: 18 };
const SHOWN_NAME_LENGTH = 20;

interface Card {
  readonly name: string;
  readonly upstream: string | null;
  readonly lines: readonly string[];
  readonly look: Look;
}

export function graphOf({ nodes, backup }: StackStatus): Graph {
  const cards = [...nodes.map(cardOf), ...(backup === null ? [] : [backupCard(backup, nodes)])];
  const places = placesOf(cards);
  const boxes = cards.map((card) => boxOf(card, places.get(card) ?? { column: 0, row: 0 }));
  return {
    width: Math.max(...boxes.map(({ x }) => x + BOX.width + 2), 0),
    height: Math.max(...boxes.map(({ y }) => y + BOX.height + 2), 0),
    boxes,
    edges: cards.flatMap((card, index) => edgesTo(card, boxes[index], boxes)),
    summary: cards.map(({ name, upstream, lines }) => sentence(name, upstream, lines)).join("; "),
  };
}

const sentence = (name: string, upstream: string | null, lines: readonly string[]): string =>
  [name, ...lines, ...(upstream === null ? [] : [`from ${upstream}`])].join(", ");

function cardOf(node: NodeStatus): Card {
  const { name, role, state, timeline, upstream, replayLagBytes } = node;
  const facts = [
    ...(timeline === null ? [] : [`timeline ${timeline}`]),
    ...(replayLagBytes === null ? [] : [`lag ${prettyBytes(replayLagBytes)}`]),
  ];
  const lines = [[role ?? "unknown", state].join(" · "), ...(facts.length === 0 ? [] : [facts.join(" · ")])];
  return { name, upstream, lines, look: lookOf(node) };
}

function lookOf({ role, state, tls }: NodeStatus): Look {
  if (role === null) return "silent";
  if (role === "primary") return "primary";
  return state === "streaming" && tls !== false ? "ok" : "trouble";
}

function backupCard({ container, state, restorable, failedChecks }: BackupStatus, nodes: readonly NodeStatus[]): Card {
  const upstream = nodes.find(({ role }) => role === "primary")?.name ?? null;
  const backups = restorable === null ? [] : [`${restorable} can be restored`];
  const silent = restorable === null || failedChecks === null;
  const failed = restorable === 0 || (failedChecks ?? []).length > 0;
  return {
    name: container,
    upstream,
    lines: [`backups · ${state}`, ...backups],
    look: silent ? "silent" : failed ? "trouble" : "ok",
  };
}

interface Place {
  readonly column: number;
  readonly row: number;
}

/** A row for each card that nobody streams from; others stand in the middle of those that stream from them. */
function placesOf(cards: readonly Card[]): Map<Card, Place> {
  const places = new Map<Card, Place>();
  let rows = 0;
  const place = (card: Card, column: number): number => {
    // Where two claim to stream from each other, one of them is placed already.
    places.set(card, { column, row: rows });
    const below = cards.filter((other) => other.upstream === card.name && !places.has(other));
    const taken = below.map((other) => (places.has(other) ? [] : [place(other, column + 1)])).flat();
    const row = taken.length === 0 ? rows++ : (Math.min(...taken) + Math.max(...taken)) / 2;
    places.set(card, { column, row });
    return row;
  };
  const known = new Set(cards.map(({ name }) => name));
  const isRoot = ({ upstream }: Card): boolean => upstream === null || !known.has(upstream);
  const primaries = cards.filter(({ look }) => look === "primary");
  for (const card of [...primaries, ...cards.filter(isRoot), ...cards]) {
    if (!places.has(card)) place(card, primaries.length === 0 || primaries.includes(card) ? 0 : 1);
  }
  return places;
}

function boxOf({ name, lines, look }: Card, { column, row }: Place): Box {
  const x = 1 + column * (BOX.width + GAP.x);
  const y = 1 + row * (BOX.height + GAP.y);
  const title = name.length > SHOWN_NAME_LENGTH ? `${name.slice(0, SHOWN_NAME_LENGTH - 1)}…` : name;
  return { x, y, ...BOX, name, title, lines: lines.map((text, index) => ({ y: 50 + index * 20, text })), look };
}

function edgesTo({ upstream, look }: Card, box: Box | undefined, boxes: readonly Box[]): Edge[] {
  const from = boxes.find(({ name }) => name === upstream);
  if (from === undefined || box === undefined) return [];
  const [x1, y1, x2, y2] = [from.x + BOX.width, from.y + BOX.height / 2, box.x, box.y + BOX.height / 2];
  const middle = (x1 + x2) / 2;
  return [{ path: `M${x1} ${y1} C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`, look }];
}
