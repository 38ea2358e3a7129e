import type { Impact } from "../operations/impact.ts";
import type { RecentAnswers } from "./recent-answers.ts";

/** What a handler may do besides its work. */
export interface Context {
  /** A line on the resource's row that stays. */
  readonly log: (message: string) => void;
  readonly warn: (message: string) => void;
  /** A line that stays, of what an update will do to live servers; programs can read it too. */
  readonly impact: (impact: Impact) => void;
  /** The same of something that is not as it shall be: a warning. */
  readonly drift: (impact: Impact) => void;
  /** A line on the resource's row that the next one replaces: progress. */
  readonly status: (message: string) => void;
  /** Asks, unless the same was asked a moment ago and nothing was changed since: for `drift`, and what previews tell. */
  readonly recently: RecentAnswers["ask"];
  /** Aborted when the update is cancelled, or when the engine is gone. */
  readonly signal: AbortSignal;
  /** The stack's name, without the organization that it may belong to. */
  readonly stack: string;
}

/** Of a resource that adds nothing to its inputs. */
export type NoOutputs = object;

/**
 * One resource type. Inputs `I` are what the program gives, outputs `O` what the work adds; both are plain here,
 * without the engine's wrappings, and neither may get into an error or a log line where it is secret.
 */
export interface Handler<I extends object, O extends object> {
  /** Outputs that are kept encrypted in the state. */
  readonly secretOutputs: readonly (keyof O & string)[];
  /** Inputs that may change without anything to be done. */
  readonly ignoredInputs?: readonly (keyof I & string)[];
  /**
   * Inputs by which servers are reached. `drift` and `announce` get the newest value that is known, in the state too:
   * a password that is about to be replaced still counts in a preview, and does not in the update that replaced it.
   */
  readonly reachedBy?: readonly (keyof I & string)[];
  /**
   * Problems that can be known before anything is made, one sentence or two each. Not called while an input is unknown.
   * @param before the inputs of the last update; undefined: there was none.
   */
  check?(inputs: I, before: I | undefined, context: Context): Promise<string[]>;
  /**
   * Inputs that are kept besides what the program gives: what is to be known of this update when the next one is
   * checked. Not called while an input is unknown.
   */
  remember?(inputs: I, before: I | undefined): Partial<I>;
  /** What differs in the world although the inputs are the same; also asked in previews. It must not throw. */
  drift?(state: I & O, inputs: I, context: Context): Promise<boolean>;
  /**
   * Says what a change of inputs will do to live servers. Inputs that are known only later are the engine's
   * placeholder. It must not throw.
   */
  announce?(state: I & O, inputs: I, context: Context): Promise<void>;
  /** Inputs that cannot change in place. */
  readonly replaceOn?: readonly (keyof I & string)[];
  /** Idempotent: it adopts what an interrupted run left behind. */
  create(inputs: I, context: Context): Promise<{ readonly id: string; readonly outputs: O }>;
  update(state: I & O, inputs: I, context: Context): Promise<O>;
  delete?(state: I & O, context: Context): Promise<void>;
}
