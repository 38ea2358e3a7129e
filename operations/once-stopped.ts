import { engineOf, inspectContainer } from "./engine.ts";
import type { Node } from "./node.ts";

/** By container, the moment at which it stopped, and what was asked. */
const answers = new Map<string, Promise<unknown>>();

/** What has stopped writes no more, and one update asks three times: of a stopped container each question is asked once. */
export async function onceStopped<T>(node: Node, question: string, ask: () => Promise<T>): Promise<T> {
  const container = await inspectContainer(engineOf(node), node.container);
  if (container?.State.Running !== false) return ask();
  const key = `${container.Id} ${container.State.FinishedAt} ${question}`;
  const answer = (answers.get(key) as Promise<T> | undefined) ?? ask();
  answers.set(key, answer);
  answer.catch(() => answers.delete(key));
  return answer;
}
