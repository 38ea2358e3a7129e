/** Whether everything runs, as by `npm run test:world`, and not only what every change has to pass (decision 040). */
export const WORLD = process.env["PG_TOPOLOGY_WORLD"] === "1";

/** Declares tests that are in the way of nobody who waits for `npm test`. */
export function inWorld(declare: () => void): void {
  if (WORLD) declare();
}
