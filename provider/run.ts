import { main } from "@pulumi/pulumi/provider/index.js";
import { Dispatcher } from "./dispatcher.ts";
import { EngineLog } from "./engine-log.ts";
import { handlers } from "./handlers/index.ts";
import { ImpactReport } from "./impact-report.ts";
import { endSiblings } from "./siblings.ts";

/** How long an operation may take to clean up after the engine is gone. */
const FAREWELL_MILLISECONDS = 3000;
const WATCH_INTERVAL_MILLISECONDS = 200;

/** @param args the engine's command line; the first argument that is no flag is its address. */
export function runProvider(args: string[]): void {
  const address = args.find((argument) => !argument.startsWith("-"));
  const dispatcher = new Dispatcher(handlers, new EngineLog(address), new ImpactReport());
  endWithTheEngine(dispatcher, address);
  void main(dispatcher, args);
}

/** An engine that is killed tells its plugins nothing: a provider that stayed would act for nobody. */
function endWithTheEngine(dispatcher: Dispatcher, address: string | undefined): void {
  const engine = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === engine) return;
    clearInterval(timer);
    void dispatcher.cancel();
    setTimeout(() => process.exit(1), FAREWELL_MILLISECONDS).unref();
    const siblings = address === undefined ? undefined : endSiblings(address);
    void Promise.allSettled([dispatcher.idle(), siblings]).then(() => process.exit(1));
  }, WATCH_INTERVAL_MILLISECONDS);
  timer.unref();
}
