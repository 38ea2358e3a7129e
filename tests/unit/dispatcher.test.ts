import { beforeEach, describe, expect, test } from "vitest";
import { OperationError } from "../../operations/errors.ts";
import { Dispatcher } from "../../provider/dispatcher.ts";
import type { AnyHandler } from "../../provider/dispatcher.ts";
import { ImpactReport } from "../../provider/impact-report.ts";
import { RecentAnswers } from "../../provider/recent-answers.ts";
import { EngineLog } from "../../provider/engine-log.ts";
import type { Severity } from "../../provider/engine-log.ts";
import type { Context } from "../../provider/handler.ts";
import { secret } from "../../provider/values.ts";

const URN = "urn:pulumi:dev::pg-topology::pgtopology:index:PostgresNode$pgtopology:index:Thing::thing";
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const CANARY = "canary-8f3a61";

class RecordedLog extends EngineLog {
  readonly lines: string[] = [];

  constructor() {
    super(undefined);
  }

  override async line(_urn: string, severity: Severity, message: string): Promise<void> {
    this.lines.push(`${severity}: ${message}`);
  }

  override async status(_urn: string, message: string): Promise<void> {
    this.lines.push(`status: ${message}`);
  }
}

interface Thing {
  readonly name: string;
  readonly password?: string;
  readonly note?: string;
}

let seen: unknown[];
let log: RecordedLog;
beforeEach(() => {
  seen = [];
  log = new RecordedLog();
});

/** A resource type whose outputs are a token, which is secret, and a size. */
const thing = (overrides: Partial<AnyHandler> = {}): AnyHandler => ({
  secretOutputs: ["token"],
  create: async (inputs) => {
    seen.push(inputs);
    return { id: "the-id", outputs: { token: "a-token", size: 1 } };
  },
  update: async (state, inputs) => {
    seen.push(state, inputs);
    return { token: "a-token", size: 2 };
  },
  ...overrides,
});

const dispatcher = (overrides?: Partial<AnyHandler>): Dispatcher =>
  new Dispatcher(new Map([["pgtopology:index:Thing", thing(overrides)]]), log, new ImpactReport(undefined));

/** The state that a create with these inputs leaves. */
async function stateFor(inputs: object): Promise<Record<string, unknown>> {
  const created: { outs?: unknown } = await dispatcher().create(URN, inputs);
  return created.outs as Record<string, unknown>;
}

describe("what was asked a moment ago", () => {
  let questions: number;
  const asking = (): Dispatcher =>
    dispatcher({
      drift: async (_state, _inputs, { recently }) => {
        await recently("of whom", () => Promise.resolve((questions += 1)));
        return false;
      },
    });

  beforeEach(() => {
    questions = 0;
  });

  test("is not asked again by another resource", async () => {
    const [provider, state] = [asking(), await stateFor({ name: "a" })];
    await provider.diff("it", URN, state, { name: "a" });
    await provider.diff("it", URN, state, { name: "a" });
    expect(questions).toBe(1);
  });

  test.each([
    ["created", (provider: Dispatcher) => provider.create(URN, { name: "b" })],
    ["changed", (provider: Dispatcher, state: object) => provider.update("it", URN, state, { name: "b" })],
    ["deleted", (provider: Dispatcher, state: object) => provider.delete("it", URN, state)],
  ])("is asked again once something was %s", async (_what, change) => {
    const [provider, state] = [asking(), await stateFor({ name: "a" })];
    await provider.diff("it", URN, state, { name: "a" });
    await change(provider, state);
    await provider.diff("it", URN, state, { name: "a" });
    expect(questions).toBe(2);
  });

  test("and could not be answered, is not asked again either", async () => {
    const answers = new RecentAnswers();
    await expect(answers.ask("it", () => Promise.reject(new Error("nobody")))).rejects.toThrow("nobody");
    await expect(answers.ask("it", () => Promise.resolve("somebody"))).rejects.toThrow("nobody");
    answers.forget();
    expect(await answers.ask("it", () => Promise.resolve("somebody"))).toBe("somebody");
  });
});

describe("what goes to a handler and comes back", () => {
  test("a handler sees plain values, and the state keeps them secret", async () => {
    const state = await stateFor({ name: "a", password: secret(CANARY) });
    expect(seen).toEqual([{ name: "a", password: CANARY }]);
    expect(state).toMatchObject({ name: "a", password: secret(CANARY), token: secret("a-token"), size: 1 });
  });

  test("an update gives the handler what was and what shall be", async () => {
    const state = await stateFor({ name: "a" });
    seen = [];
    const updated = await dispatcher().update("the-id", URN, state, { name: "b" });
    expect(seen).toMatchObject([{ name: "a", token: "a-token", size: 1 }, { name: "b" }]);
    expect(updated.outs).toMatchObject({ name: "b", token: secret("a-token"), size: 2 });
  });

  test("what a handler remembers of the update before is an input, although it checks nothing", async () => {
    const remember = (_inputs: object, before: object | undefined) => ({ note: JSON.stringify(before ?? null) });
    const remembering = dispatcher({ remember });
    expect(await remembering.check(URN, {}, { name: "a" })).toEqual({
      inputs: { name: "a", note: "null" },
      failures: [],
    });
    expect(await remembering.check(URN, { name: "a" }, { name: "b" })).toMatchObject({
      inputs: { name: "b", note: '{"name":"a"}' },
    });
    expect(await remembering.check(URN, { name: "a" }, { name: UNKNOWN })).toEqual({ inputs: { name: UNKNOWN } });
  });

  test("a type that nobody knows is an error that names it", () => {
    const urn = URN.replace("index:Thing", "index:Nothing");
    expect(() => dispatcher().create(urn, {})).toThrow(
      "the provider pgtopology has no resource type pgtopology:index:Nothing",
    );
  });
});

describe("diff", () => {
  const diff = async (overrides: Partial<AnyHandler>, before: Thing, after: object) =>
    dispatcher(overrides).diff("the-id", URN, await stateFor(before), after);

  test("the same inputs are no change, in whatever order their keys are", async () => {
    expect(await diff({}, { name: "a", note: "n" }, { note: "n", name: "a" })).toEqual({ changes: false });
  });

  test("another input is a change in place, an input that cannot change makes another resource", async () => {
    const replaceOn = { replaceOn: ["name"] };
    expect(await diff(replaceOn, { name: "a", note: "n" }, { name: "a", note: "m" })).toMatchObject({ replaces: [] });
    expect(await diff(replaceOn, { name: "a" }, { name: "b" })).toMatchObject({ changes: true, replaces: ["name"] });
  });

  test("an input that goes or comes is a change", async () => {
    expect(await diff({}, { name: "a", note: "n" }, { name: "a" })).toMatchObject({ changes: true });
    expect(await diff({}, { name: "a" }, { name: "a", note: "n" })).toMatchObject({ changes: true });
  });

  test("an input that does not matter is none", async () => {
    expect(await diff({ ignoredInputs: ["note"] }, { name: "a", note: "n" }, { name: "a" })).toEqual({
      changes: false,
    });
  });

  test("what is not known yet never means another resource", async () => {
    expect(await diff({ replaceOn: ["name"] }, { name: "a" }, { name: UNKNOWN })).toMatchObject({
      changes: true,
      replaces: [],
    });
  });

  test("drift is a change although the inputs are the same", async () => {
    expect(await diff({ drift: async () => true }, { name: "a" }, { name: "a" })).toEqual({ changes: true });
  });
});

describe("secrets", () => {
  const inputs = { name: "a", password: secret(CANARY) };
  const leaking = (leak: (context: Context) => never | void) => ({
    create: async (_inputs: object, context: Context) => {
      leak(context);
      return { id: "the-id", outputs: {} };
    },
  });

  test("are in no error text and in no stack", async () => {
    const fail = (): never => {
      throw new Error(`the server said: ${CANARY}`);
    };
    const error: unknown = await dispatcher(leaking(fail))
      .create(URN, inputs)
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ message: "the server said: [secret]" });
    expect((error as Error).stack).not.toContain(CANARY);
    expect((error as Error).cause).toBeUndefined();
  });

  test("are on no line of the log", async () => {
    const tell = ({ log: line, warn, status }: Context): void => {
      for (const write of [line, warn, status]) write(`it is ${CANARY}`);
    };
    await dispatcher(leaking(tell)).create(URN, inputs);
    expect(log.lines).toEqual(["info: it is [secret]", "warning: it is [secret]", "status: it is [secret]"]);
  });

  test("are in no problem that check reports", async () => {
    const check = async (): Promise<string[]> => [`expected something other than ${CANARY}`];
    const { failures } = await dispatcher({ check }).check(URN, {}, inputs);
    expect(failures).toEqual([{ property: "", reason: "expected something other than [secret]" }]);
  });

  test("of the state are kept as well as those of the inputs", async () => {
    const remove = async (): Promise<void> => {
      throw new Error(`cannot drop: ${CANARY}`);
    };
    const state = await stateFor(inputs);
    await expect(dispatcher({ delete: remove }).delete("the-id", URN, state)).rejects.toThrow("cannot drop: [secret]");
  });
});

test("a failure that a user can act on shows no stack trace", async () => {
  const create = async (): Promise<never> => {
    throw new OperationError("expected a free port");
  };
  const error: unknown = await dispatcher({ create })
    .create(URN, {})
    .catch((reason: unknown) => reason);
  expect((error as Error).stack).toBe("expected a free port");
});

test("a cancelled update aborts what is under way, and idle waits for its end", async () => {
  const ended: string[] = [];
  const started = Promise.withResolvers<undefined>();
  const create = async (_inputs: object, { signal }: Context): Promise<never> => {
    started.resolve(undefined);
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    ended.push("aborted");
    throw signal.reason;
  };
  const running = dispatcher({ create });
  const created = running.create(URN, {});
  await started.promise;
  await running.cancel();
  await Promise.all([running.idle(), expect(created).rejects.toThrow("the update was cancelled")]);
  expect(ended).toEqual(["aborted"]);
});
