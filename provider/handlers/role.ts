import { noAnswer } from "../../operations/errors.ts";
import { findNodes } from "../../operations/node.ts";
import { unlessReplayed } from "../../operations/replayed.ts";
import { dropRoleIfUnused, ensureRole, roleDifference } from "../../operations/roles.ts";
import type { Context, Handler, NoOutputs } from "../handler.ts";
import type { RoleInputs } from "../resources/role.ts";
import { recentAccess } from "./recently.ts";
import { unlessNobodyWrites } from "./unless-nobody-writes.ts";

export const roleHandler: Handler<RoleInputs, NoOutputs> = {
  secretOutputs: [],
  ignoredInputs: ["labels", "nodeLabel", "placed"],
  drift: async (_state, inputs, context) => {
    const difference = await liveDifference(inputs, context);
    if (difference === undefined) return false;
    context.drift({
      level: "reload",
      nodes: [],
      message: `the role ${inputs.role.name} ${difference}: it is altered back`,
    });
    return true;
  },
  announce: async (state, inputs, { impact }) => {
    if (state.password === inputs.password || state.role.name !== inputs.role.name) return;
    const message = `new password of ${inputs.role.name}: 0 restarts, open connections go on, the old password is refused from then on`;
    impact({ level: "reload", nodes: [], message });
  },
  create: async (inputs) => {
    await ensureRole(await findNodes(inputs), inputs.role, inputs.password);
    return { id: inputs.role.name, outputs: {} };
  },
  update: async (state, inputs, context) => {
    const isDone = await unlessNobodyWrites(context, `the role ${inputs.role.name} is altered`, async () => {
      await alter(inputs, context);
      // Another name is another role: the old one must not stay behind with a password and rights.
      if (state.role.name !== inputs.role.name) await drop(state, context);
    });
    // The state goes on to tell what is there: the next update has the same to do. A password drift finds.
    return isDone ? {} : { role: state.role };
  },
  delete: (state, context) => drop(state, context),
};

/** An old password is dead when no node takes it any more. */
async function alter(inputs: RoleInputs, { warn }: Context): Promise<void> {
  const nodes = await findNodes(inputs);
  const { node, walLsn } = await ensureRole(nodes, inputs.role, inputs.password);
  const standbys = nodes.filter(({ name }) => name !== node.name);
  const reasons = await Promise.all(standbys.map((standby) => unlessReplayed(standby, walLsn)));
  for (const reason of reasons) {
    if (reason !== undefined) warn(`${reason}: until then the role ${inputs.role.name} is there as it was`);
  }
}

async function drop(inputs: RoleInputs, { warn }: Context): Promise<void> {
  const { role } = inputs;
  const gone = await dropRoleIfUnused(await findNodes(inputs), role);
  if (!gone) warn(`the role ${role.name} stays: something in the database belongs to it`);
}

/** undefined: no difference, or no primary that answers. */
async function liveDifference(inputs: RoleInputs, context: Context): Promise<string | undefined> {
  const access = await recentAccess(context, inputs).catch(noAnswer);
  return access && roleDifference(access.roles.get(inputs.role.name), inputs.role, inputs.password);
}
