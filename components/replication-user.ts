import * as pulumi from "@pulumi/pulumi";
import { nodeMarks } from "../plan/placed.ts";
import { operatorRole, replicationRole } from "../plan/roles.ts";
import { Role } from "../provider/resources/role.ts";
import type { Foundation } from "./foundation.ts";
import type { Primary } from "./primary.ts";

/** The roles that replication needs: the one that standbys stream as, and the provider's own. */
export class ReplicationUser extends pulumi.ComponentResource {
  readonly roles: readonly Role[];

  constructor(name: string, { plan, credentials }: Foundation, primary: Primary) {
    super("pgtopology:index:ReplicationUser", name, {});
    const shared = nodeMarks(plan);
    // With the cluster go its roles: nothing has to be dropped from what is removed as a whole.
    const opts = { parent: this, dependsOn: primary.server, deletedWith: primary.cluster };
    this.roles = [
      new Role(
        `${name}-replication`,
        { ...shared, role: replicationRole(plan.replicationUser), password: credentials.replicationPassword },
        opts,
      ),
      new Role(`${name}-operator`, { ...shared, role: operatorRole(), password: credentials.operator.password }, opts),
    ];
    this.registerOutputs({});
  }
}
