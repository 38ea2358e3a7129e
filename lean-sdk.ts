import { Module, createRequire } from "node:module";

/**
 * What the SDK loads at its start, and this program has no use for. To serialize functions: a compiler of nine
 * megabytes, and a debugger that it attaches to its own process. For code that was compiled: source maps, through which
 * it would take the stack trace of every promise. All are taken for loaded, and do nothing.
 * Node loads this file before the SDK (`nodeargs` in Pulumi.yaml).
 */
const UNUSED: Readonly<Record<string, unknown>> = {
  typescript: {},
  "@pulumi/pulumi/runtime/closure/v8Hooks.js": { isInitializedAsync: () => Promise.resolve() },
  "source-map-support": { install: () => undefined },
  "source-map-support/register": {},
};

const { cache, resolve } = createRequire(import.meta.url);
for (const [name, exports] of Object.entries(UNUSED)) {
  const path = resolve(name);
  cache[path] = Object.assign(new Module(path), { exports, loaded: true });
}
