import type { Deployment } from "../deployment.ts";
import type { Finding } from "../findings.ts";
import type { KeyPath } from "../key-path.ts";
import type { NodeDraft, StackFileDraft } from "../stack-file.ts";

/** A rule across the keys of a stack file. It looks at whatever could be read, and is silent about the rest. */
export type Check = (file: StackFileDraft, context: CheckContext) => readonly Finding[];

export interface CheckContext extends Deployment {
  /** Whether something stands at a path, but was refused: not to be mistaken for left out. */
  readonly isRefused: (path: KeyPath) => boolean;
}

export type ListedNode = NodeDraft & {
  /** Its place in the list. */
  readonly index: number;
};

export function listedNodes({ nodes }: StackFileDraft): readonly ListedNode[] {
  return (nodes ?? []).flatMap((node, index) => (node === undefined ? [] : [{ ...node, index }]));
}

export function nodeNames(file: StackFileDraft): readonly string[] {
  return listedNodes(file).flatMap(({ name }) => (name === undefined ? [] : [name]));
}

/** How many standbys a file describes: every node but one. */
export function standbyCount({ nodes }: StackFileDraft): number {
  return Math.max(0, (nodes?.length ?? 0) - 1);
}

/** `1 standby`, `2 standbys`. */
export function counted(count: number, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${count} ${noun}s`;
}
