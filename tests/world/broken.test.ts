import { createServer } from "node:net";
import type { Server } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { docker } from "../support/containers.ts";
import { expectConverged, expectObjects } from "../support/convergence.ts";
import { expectFailingPreview, expectFailingUp } from "../support/failures.ts";
import { derivedImage, emptyImage, removeImages } from "../support/images.ts";
import { freePorts } from "../support/ports.ts";
import { TestStack, withStack } from "../support/stack.ts";
import type { StackConfig } from "../support/stack.ts";

const SUFFIX = Math.random().toString(36).slice(2, 8);
const IMAGES = {
  nothing: `pg-topology-test-${SUFFIX}/nothing:17`,
  mislabelled: `pg-topology-test-${SUFFIX}/mislabelled:17`,
  failingScript: `pg-topology-test-${SUFFIX}/failing-script:17`,
};

describe("a stack that was never up", () => {
  let stack: TestStack;
  let good: StackConfig;
  let ports: number[];

  beforeAll(async () => {
    ports = await freePorts(1);
    good = { primary: "node-1", nodes: [{ name: "node-1", port: ports[0] }] };
    stack = await TestStack.create(good);
  });
  afterAll(async () => {
    await stack.dispose();
    await removeImages(...Object.values(IMAGES));
  });

  test("a bad stack file", async () => {
    await stack.configure({ ...good, primary: "node-7", nodes: [{ name: "node-1", port: 99_999 }], imagee: "x" });
    const texts = ["node-7", "99999", "imagee", "Did you mean image?"];
    await expectFailingPreview(stack, ...texts);
    await expectFailingUp(stack, ...texts);
    await expectObjects(stack, []);
  });

  test("an image that is nowhere", async () => {
    await stack.configure({ ...good, image: "localhost:1/nowhere/postgres:17" });
    await expectFailingUp(
      stack,
      "the image localhost:1/nowhere/postgres:17 is not on this engine and cannot be pulled",
      "Check its name in `image`, or build or load it.",
    );
  });

  test("an image from a registry that is not reached", async () => {
    await stack.configure({ ...good, image: "registry.invalid/nowhere/postgres:17" });
    await expectFailingUp(stack, "the image registry.invalid/nowhere/postgres:17 is not on this engine");
  });

  test("an image that is no PostgreSQL", async () => {
    await emptyImage(IMAGES.nothing, 'CMD ["hello"]');
    await stack.configure({ ...good, image: IMAGES.nothing });
    const texts = [`expected ${IMAGES.nothing} to keep the contract of the official postgres image`, "Name an image"];
    await expectFailingPreview(stack, ...texts);
    await expectFailingUp(stack, ...texts);
  });

  test("an image of another major than its tag says", async () => {
    await emptyImage(IMAGES.mislabelled, "ENV PG_MAJOR=16", 'ENTRYPOINT ["docker-entrypoint.sh"]');
    await stack.configure({ ...good, image: IMAGES.mislabelled });
    const text = `expected PostgreSQL 17 in ${IMAGES.mislabelled}, but it holds PostgreSQL 16`;
    await expectFailingPreview(stack, text);
    await expectFailingUp(stack, text, "postgresMajor: 16");
  });

  test("a subnet that overlaps another network", async () => {
    const other = `pg-topology-test-${SUFFIX}`;
    await docker("network", "create", "--subnet", "10.213.7.0/24", other);
    try {
      await stack.configure({ ...good, network: { subnet: "10.213.7.128/25" } });
      const texts = [`10.213.7.128/25 overlaps 10.213.7.0/24 of the Docker network ${other}`, "Choose another"];
      await expectFailingPreview(stack, ...texts);
      await expectFailingUp(stack, ...texts);
    } finally {
      await docker("network", "rm", other);
    }
  });

  test("a port that another process has", async () => {
    await stack.configure(good);
    const holder = await listen(ports[0] ?? 0);
    try {
      const texts = [
        `port ${ports[0] ?? 0} of 127.0.0.1, which node-1 is to be published on, is taken by another process`,
      ];
      await expectFailingPreview(stack, ...texts);
      await expectFailingUp(stack, ...texts, "Choose another port for node-1");
    } finally {
      await new Promise((resolve) => holder.close(resolve));
    }
  });

  test("a port that another container has", async () => {
    const holder = `pg-topology-test-${SUFFIX}`;
    const publish = ["-p", `127.0.0.1:${ports[0] ?? 0}:80`];
    await docker("run", "-d", "--init", "--name", holder, ...publish, "--entrypoint", "sleep", "postgres:17", "600");
    try {
      await expectFailingUp(stack, `is taken by the container ${holder}`, "Choose another port for node-1");
    } finally {
      await docker("rm", "--force", "--volumes", holder);
    }
  });

  test("an argument that initdb does not know", async () => {
    await stack.configure({ ...good, initdb: { arguments: ["--no-such-option"] } });
    await expectFailingUp(stack, "initdb ended with exit code", "unrecognized option '--no-such-option'");
  });

  test("an initialisation script that fails", async () => {
    const script = "RUN echo 'echo this goes wrong >&2; exit 7' > /docker-entrypoint-initdb.d/fails.sh";
    await derivedImage(IMAGES.failingScript, "postgres:17", script);
    await stack.configure({ ...good, image: IMAGES.failingScript });
    await expectFailingUp(stack, "initdb ended with exit code 7", "this goes wrong");
  });

  test("and once all is mended, it comes up", async () => {
    await stack.configure(good);
    await stack.up();
    await expectConverged(stack, ["node-1"]);
  });
});

test("a first server that takes its parameters, and does not start with them", async () => {
  const [port] = await freePorts(1);
  const good = { primary: "node-1", nodes: [{ name: "node-1", port }] };
  await withStack({ ...good, parameters: { shared_preload_libraries: "no_such_library" } }, async (stack) => {
    const output = await stack.failingUp();
    expect(output).toContain("the server of node-1 ended with exit code");
    expect(output).toContain('could not access file "no_such_library"');
    await stack.configure(good);
    expect(await stack.succeed(["preview"])).toContain(
      "ends with the files that it has: it is started with those of the stack file (shared_preload_libraries)",
    );
    await stack.up();
    await expectConverged(stack, ["node-1"]);
  });
});

function listen(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}
