import type * as provider from "@pulumi/pulumi/provider/index.js";
import { OperationError, messageOf } from "../operations/errors.ts";
import type { Impact } from "../operations/impact.ts";
import type { EngineLog, Severity } from "./engine-log.ts";
import type { Context, Handler } from "./handler.ts";
import type { ImpactReport } from "./impact-report.ts";
import { RecentAnswers } from "./recent-answers.ts";
import { hasUnknowns, isObject, redact, sameValue, secret, unwrap } from "./values.ts";

/** The dispatcher knows nothing of what is in a resource; each handler knows its own. */
export interface AnyHandler extends Omit<
  Handler<object, object>,
  "secretOutputs" | "ignoredInputs" | "reachedBy" | "replaceOn"
> {
  readonly secretOutputs: readonly string[];
  readonly ignoredInputs?: readonly string[];
  readonly reachedBy?: readonly string[];
  readonly replaceOn?: readonly string[];
}

/**
 * Takes the engine's calls to the handler of the resource's type: values without wrappings in, secrets wrapped again
 * out, errors without secrets and without stack traces.
 */
export class Dispatcher implements provider.Provider {
  readonly version = "0.1.0";
  readonly schema = JSON.stringify({ name: "pgtopology", version: "0.1.0" });
  readonly #handlers: ReadonlyMap<string, AnyHandler>;
  readonly #log: EngineLog;
  readonly #report: ImpactReport;
  readonly #cancelled = new AbortController();
  readonly #running = new Set<Promise<unknown>>();
  readonly #recent = new RecentAnswers();

  constructor(handlers: ReadonlyMap<string, AnyHandler>, log: EngineLog, report: ImpactReport) {
    this.#handlers = handlers;
    this.#log = log;
    this.#report = report;
  }

  check = async (urn: string, olds: unknown, news: unknown): Promise<provider.CheckResult> => {
    const handler = this.#handler(urn);
    if ((handler.check === undefined && handler.remember === undefined) || hasUnknowns(news)) return { inputs: news };
    const secrets = new Set<string>();
    const inputs = unwrap(news, secrets) as object;
    const before = isObject(olds) && Object.keys(olds).length > 0 ? (unwrap(olds, secrets) as object) : undefined;
    const context = this.#context(urn, secrets);
    const failures = await this.#guarded(secrets, () => handler.check?.(inputs, before, context) ?? []);
    const reasons = failures.map((reason) => redact(reason, secrets));
    for (const message of reasons) this.#report.add(urn, "check", { level: "refused", nodes: [], message });
    const remembered = handler.remember?.(inputs, before) ?? {};
    // Without a property: the engine would repeat its value.
    return {
      inputs: { ...(news as object), ...remembered },
      failures: reasons.map((reason) => ({ property: "", reason })),
    };
  };

  diff = async (_id: string, urn: string, olds: unknown, news: unknown): Promise<provider.DiffResult> => {
    const handler = this.#handler(urn);
    const secrets = new Set<string>();
    const state = unwrap(olds, secrets) as Record<string, unknown>;
    const inputs = unwrap(news, secrets) as Record<string, unknown>;
    const context = this.#context(urn, secrets);
    const changed = changedInputs(handler, state, inputs);
    const reach = newestKnown(handler.reachedBy ?? [], state, inputs);
    const [before, after] = [
      { ...state, ...reach },
      { ...inputs, ...reach },
    ];
    if (changed.length > 0) {
      await this.#guarded(secrets, () => handler.announce?.(before, after, context));
      // What is not known yet never means another resource.
      const replaces = changed.filter((key) => handler.replaceOn?.includes(key) && !hasUnknowns(inputs[key]));
      return { changes: true, replaces, deleteBeforeReplace: replaces.length > 0 };
    }
    return { changes: await this.#guarded(secrets, () => handler.drift?.(before, after, context) ?? false) };
  };

  create = (urn: string, raw: unknown): Promise<provider.CreateResult> => {
    const handler = this.#handler(urn);
    const secrets = new Set<string>();
    const inputs = unwrap(raw, secrets) as object;
    return this.#changing(secrets, async () => {
      const { id, outputs } = await handler.create(inputs, this.#context(urn, secrets));
      return { id, outs: stateOf(handler, raw, outputs) };
    });
  };

  update = (_id: string, urn: string, olds: unknown, news: unknown): Promise<provider.UpdateResult> => {
    const handler = this.#handler(urn);
    const secrets = new Set<string>();
    const state = unwrap(olds, secrets) as object;
    const inputs = unwrap(news, secrets) as object;
    return this.#changing(secrets, async () => {
      const outputs = await handler.update(state, inputs, this.#context(urn, secrets));
      return { outs: stateOf(handler, news, outputs) };
    });
  };

  delete = async (_id: string, urn: string, raw: unknown): Promise<void> => {
    const handler = this.#handler(urn);
    const secrets = new Set<string>();
    const state = unwrap(raw, secrets) as object;
    await this.#changing(secrets, async () => handler.delete?.(state, this.#context(urn, secrets)));
  };

  /** The program asks for nothing: it wakes the provider while it is itself being loaded. */
  invoke = (): Promise<provider.InvokeResult> => Promise.resolve({ outputs: {} });

  cancel = (): Promise<void> => {
    this.#cancelled.abort(new OperationError("the update was cancelled"));
    return Promise.resolve();
  };

  /** Resolves when no operation is under way. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#running);
  }

  #handler(urn: string): AnyHandler {
    const type = urn.split("::")[2]?.split("$").at(-1) ?? "";
    const handler = this.#handlers.get(type);
    if (handler === undefined) throw new Error(`the provider pgtopology has no resource type ${type}`);
    return handler;
  }

  #context(urn: string, secrets: ReadonlySet<string>): Context {
    const tell = (severity: Severity, source: "change" | "drift", impact: Impact): void => {
      const message = redact(impact.message, secrets);
      this.#report.add(urn, source, { ...impact, message });
      void this.#log.line(urn, severity, message);
    };
    return {
      impact: (impact) => tell("info", "change", impact),
      drift: (impact) => tell("warning", "drift", impact),
      log: (message) => void this.#log.line(urn, "info", redact(message, secrets)),
      warn: (message) => void this.#log.line(urn, "warning", redact(message, secrets)),
      recently: (key, question) => this.#recent.ask(key, question),
      status: (message) => void this.#log.status(urn, redact(message, secrets)),
      signal: this.#cancelled.signal,
      stack: urn.split("::")[0]?.split(":").at(-1) ?? "",
    };
  }

  async #changing<T>(secrets: ReadonlySet<string>, work: () => Promise<T>): Promise<T> {
    this.#recent.forget();
    try {
      return await this.#guarded(secrets, work);
    } finally {
      this.#recent.forget();
    }
  }

  async #guarded<T>(secrets: ReadonlySet<string>, work: () => Promise<T> | T): Promise<T> {
    const running = Promise.resolve().then(work);
    this.#running.add(running);
    try {
      return await running;
    } catch (error) {
      throw withoutSecrets(error, secrets);
    } finally {
      this.#running.delete(running);
    }
  }
}

function changedInputs(handler: AnyHandler, state: Record<string, unknown>, inputs: Record<string, unknown>): string[] {
  const before = handlerInputsOf(state);
  return Object.keys({ ...inputs, ...before }).filter(
    (key) => !handler.ignoredInputs?.includes(key) && !sameValue(before[key], inputs[key]),
  );
}

function newestKnown(
  keys: readonly string[],
  state: Record<string, unknown>,
  inputs: Record<string, unknown>,
): Record<string, unknown> {
  return Object.fromEntries(keys.map((key) => [key, hasUnknowns(inputs[key]) ? state[key] : inputs[key]]));
}

const INPUT_KEYS = "__inputKeys";

/** The state holds inputs and outputs side by side, and which of them were inputs. */
function stateOf(handler: AnyHandler, rawInputs: unknown, outputs: object): Record<string, unknown> {
  const inputs = isObject(rawInputs) ? rawInputs : {};
  const wrapped = Object.entries<unknown>({ ...outputs }).map(
    ([key, value]) => [key, handler.secretOutputs.includes(key) ? secret(value) : value] as const,
  );
  return { ...inputs, ...Object.fromEntries(wrapped), [INPUT_KEYS]: Object.keys(inputs) };
}

function handlerInputsOf(state: Record<string, unknown>): Record<string, unknown> {
  const keys = state[INPUT_KEYS];
  if (!Array.isArray(keys)) return {};
  return Object.fromEntries(keys.map((key) => [String(key), state[String(key)]]));
}

/** The engine shows the message of an error, and prints the stack of one that comes out of check, diff or delete. */
function withoutSecrets(error: unknown, secrets: ReadonlySet<string>): Error {
  const known = error instanceof OperationError;
  const clean = new Error(redact(messageOf(error), secrets));
  clean.stack = known ? clean.message : redact((error as Error).stack ?? clean.message, secrets);
  return clean;
}
