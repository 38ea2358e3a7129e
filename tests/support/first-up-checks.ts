import { beforeAll, expect, test } from "vitest";
import { psqlAsClient } from "./clients.ts";
import { shellIn } from "./containers.ts";
import { ownerLogin } from "./outputs.ts";
import type { StackOutputs } from "./outputs.ts";
import { expectStreaming } from "./replication-checks.ts";
import { psqlIn, rowsIn, rowsOf } from "./servers.ts";
import type { TestStack } from "./stack.ts";

export interface FirstUp {
  /** Known only when the tests run. */
  readonly stack: () => TestStack;
  readonly image: string;
  /** The primary first. */
  readonly nodes: readonly string[];
}

/** What must hold after the first update of any stack, whatever image it runs. */
export function describeFirstUp({ stack, image, nodes }: FirstUp): void {
  const [primary = "", ...standbys] = nodes;
  let outputs: StackOutputs;
  beforeAll(async () => {
    outputs = await stack().outputs<StackOutputs>();
  });

  test("every standby streams over TLS from an active slot of its own", async () => {
    await expectStreaming(stack(), primary, standbys);
    const network =
      "SELECT pid FROM pg_stat_activity JOIN pg_stat_ssl USING (pid) WHERE client_addr IS NOT NULL AND NOT ssl";
    for (const node of nodes) expect(await rowsIn(stack().container(node), network)).toEqual([]);
  });

  test("rows written by way of readWriteUri are read on every standby", async () => {
    const write = "CREATE TABLE greetings (text text); INSERT INTO greetings VALUES ('hello')";
    await psqlAsClient(image, outputs.readWriteUri, write);
    for (const node of standbys) {
      const read = (): Promise<unknown> =>
        rowsOf(ownerLogin(outputs, node), "SELECT text FROM greetings").catch(String);
      await expect.poll(read, { timeout: 30_000 }).toEqual([{ text: "hello" }]);
    }
  });

  test("readOnlyUri leads to a standby", async () => {
    expect(await psqlAsClient(image, outputs.readOnlyUri, "SELECT pg_is_in_recovery()")).toBe("t");
  });

  test.each(standbys)("%s refuses writes", async (node) => {
    const write = rowsOf(ownerLogin(outputs, node), "CREATE TABLE forbidden ()");
    await expect(write).rejects.toThrow("cannot execute CREATE TABLE in a read-only transaction");
  });

  test.each(nodes)("docker exec -u postgres CONTAINER psql works on %s", async (node) => {
    const whoAmI = "SELECT current_user || ' on ' || current_setting('cluster_name')";
    expect(await psqlIn(stack().container(node), whoAmI)).toBe(`postgres on ${node}`);
  });

  test("keys and passwords on the servers are readable by the server's user alone", async () => {
    for (const node of nodes) {
      const files = "/etc/pg-topology/tls/server.key /etc/pg-topology/passfile";
      expect(await shellIn(stack().container(node), `stat -c '%a %u' ${files}`)).toBe("600 999\n600 999");
    }
  });
}
