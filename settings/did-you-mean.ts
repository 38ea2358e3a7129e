import { distance } from "fastest-levenshtein";

/** The one of `known` that `written` was probably meant to be, or null if none is within `mostEdits`. */
export function didYouMean(written: string, known: Iterable<string>, mostEdits = Infinity): string | null {
  const wanted = normalised(written);
  let best: string | null = null;
  let fewestEdits = Math.min(tolerated(wanted), mostEdits) + 1;
  for (const candidate of known) {
    const plain = normalised(candidate);
    if (Math.abs(plain.length - wanted.length) >= fewestEdits) continue;
    const edits = distance(wanted, plain);
    if (edits < fewestEdits) [best, fewestEdits] = [candidate, edits];
  }
  return best;
}

/** Spelling that matters little: apply_delay, ApplyDelay and apply-delay are all `applyDelay`. */
function normalised(name: string): string {
  return name.toLowerCase().replaceAll(/[-_]/g, "");
}

/** A short word may differ in little before it is another word. */
function tolerated(name: string): number {
  if (name.length <= 3) return 1;
  return name.length <= 7 ? 2 : 3;
}
