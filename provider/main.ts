import { enableCompileCache } from "node:module";

enableCompileCache();
// Imported only now: the compile cache counts for what is loaded after it was switched on.
const { runProvider } = await import("./run.ts");
runProvider(process.argv.slice(2));
