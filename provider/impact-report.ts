import { appendFileSync } from "node:fs";
import type { Impact } from "../operations/impact.ts";
import { IMPACT_FILE_VARIABLE } from "../operations/impact-file.ts";
import type { ImpactRecord } from "../operations/impact-file.ts";

/** Writes what was announced into a file of JSON lines, for whoever named one when the engine was started. */
export class ImpactReport {
  readonly #path: string | undefined;

  /** @param path undefined: nothing is written. */
  constructor(path: string | undefined = process.env[IMPACT_FILE_VARIABLE]) {
    this.#path = path;
  }

  add(urn: string, source: ImpactRecord["source"], impact: Impact): void {
    if (this.#path === undefined) return;
    const record: ImpactRecord = { resource: urn.split("::").at(-1) ?? urn, source, ...impact };
    appendFileSync(this.#path, `${JSON.stringify(record)}\n`);
  }
}
