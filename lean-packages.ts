import { Module, createRequire } from "node:module";

const nothing = (): undefined => undefined;

/**
 * What packages load at their start, and this project has no use for. All are taken for loaded, and do nothing.
 * Node loads this file before the SDK: `nodeargs` in Pulumi.yaml for the program, provider/main.ts for the provider.
 */
const UNUSED: Readonly<Record<string, unknown>> = {
  // To serialize functions: a compiler of nine megabytes, a debugger that is attached to the process itself, and a reader
  // of installed packages.
  typescript: {},
  "@pulumi/pulumi/runtime/closure/v8Hooks.js": { isInitializedAsync: () => Promise.resolve() },
  "@pulumi/pulumi/runtime/closure/codePaths.js": {},
  // For code that was compiled: source maps, through which the SDK would take the stack trace of every promise.
  "source-map-support": { install: nothing },
  "source-map-support/register": {},
  // For templates that are compiled to files.
  "source-map": {},
  // To drive Pulumi from a program, and to trace one.
  "@pulumi/pulumi/automation/index.js": {},
  "@pulumi/pulumi/cmd/run/tracing.js": {
    start: nothing,
    stop: nothing,
    newSpan: () => ({ setAttribute: nothing, addEvent: nothing, end: nothing }),
  },
  // To build images by BuildKit, and an SSH of its own instead of the user's.
  "dockerode/lib/session.js": nothing,
  "dockerode/lib/buildkit.js": {},
  "docker-modem/lib/ssh.js": nothing,
};

const { cache, resolve } = createRequire(import.meta.url);
for (const [name, exports] of Object.entries(UNUSED)) {
  const path = resolve(name);
  cache[path] = Object.assign(new Module(path), { exports, loaded: true });
}
