import type Docker from "dockerode";
import { connectEngine } from "../../operations/engine.ts";
import { OperationError } from "../../operations/errors.ts";
import { findNodes } from "../../operations/node.ts";
import { dropRoleIfUnused, ensureRole, roleDifference } from "../../operations/roles.ts";
import { isStandby, withOperator } from "../../operations/sql.ts";
import type { Context, Handler, NoOutputs } from "../handler.ts";
import type { RoleInputs } from "../resources/role.ts";

export const roleHandler: Handler<RoleInputs, NoOutputs> = {
  secretOutputs: [],
  ignoredInputs: ["operator", "labels", "nodeLabel"],
  drift: async (_state, inputs, { warn }) => {
    const difference = await liveDifference(connectEngine(), inputs);
    if (difference === undefined) return false;
    warn(`the role ${inputs.role.name} ${difference}: it is altered back`);
    return true;
  },
  create: async (inputs) => {
    const docker = connectEngine();
    await ensureRole(docker, await nodesOf(docker, inputs), inputs.role, inputs.password);
    return { id: inputs.role.name, outputs: {} };
  },
  update: async (state, inputs, context) => {
    const docker = connectEngine();
    await ensureRole(docker, await nodesOf(docker, inputs), inputs.role, inputs.password);
    // Another name is another role: the old one must not stay behind with a password and rights.
    if (state.role.name !== inputs.role.name) await drop(docker, state, context);
    return {};
  },
  delete: (state, context) => drop(connectEngine(), state, context),
};

async function drop(docker: Docker, inputs: RoleInputs, { warn }: Context): Promise<void> {
  const { role } = inputs;
  const gone = await dropRoleIfUnused(docker, await nodesOf(docker, inputs), role);
  if (!gone) warn(`the role ${role.name} stays: something in the database belongs to it`);
}

const nodesOf = (docker: Docker, { labels, nodeLabel }: RoleInputs) => findNodes(docker, labels, nodeLabel);

/**
 * The primary is asked: a standby knows of a role only once it has replayed it. undefined: no difference, or no primary
 * that answers.
 */
async function liveDifference(docker: Docker, inputs: RoleInputs): Promise<string | undefined> {
  for (const node of await nodesOf(docker, inputs).catch(() => [])) {
    try {
      const answer = await withOperator(docker, node, inputs.operator, async (client) =>
        (await isStandby(client)) ? undefined : { difference: await roleDifference(client, inputs.role) },
      );
      if (answer !== undefined) return answer.difference;
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
    }
  }
  return undefined;
}
