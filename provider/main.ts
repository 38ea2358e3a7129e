import { enableCompileCache, flushCompileCache } from "node:module";

enableCompileCache();
await import("../lean-packages.ts");
// Imported only now: the compile cache counts for what is loaded after it was switched on.
const { runProvider } = await import("./run.ts");
// Node writes it as a process ends, but the engine kills its plugins: without this every start compiles everything.
flushCompileCache();
runProvider(process.argv.slice(2));
