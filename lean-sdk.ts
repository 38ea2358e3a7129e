import { Module, createRequire } from "node:module";

/**
 * What the SDK loads at its start to serialize functions, and this program serializes none: a compiler of nine
 * megabytes, and a debugger that it attaches to its own process. Both are taken for loaded, and do nothing.
 * Node loads this file before the SDK (`nodeargs` in Pulumi.yaml).
 */
const UNUSED: Readonly<Record<string, unknown>> = {
  typescript: {},
  "@pulumi/pulumi/runtime/closure/v8Hooks.js": { isInitializedAsync: () => Promise.resolve() },
};

const { cache, resolve } = createRequire(import.meta.url);
for (const [name, exports] of Object.entries(UNUSED)) {
  const path = resolve(name);
  cache[path] = Object.assign(new Module(path), { exports, loaded: true });
}
