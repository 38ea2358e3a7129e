import * as pulumi from "@pulumi/pulumi";
import { nodeMarks } from "../plan/placed.ts";
import { ownerRole } from "../plan/roles.ts";
import { Database } from "../provider/resources/database.ts";
import { Role } from "../provider/resources/role.ts";
import type { Foundation } from "./foundation.ts";
import type { Primary } from "./primary.ts";

/** The database of the application, and the role that owns it. */
export class ApplicationDatabase extends pulumi.ComponentResource {
  readonly database: Database;

  constructor(name: string, { plan, credentials }: Foundation, primary: Primary) {
    super("pgtopology:index:ApplicationDatabase", name, {});
    const stack = nodeMarks(plan);
    const owner = new Role(
      `${name}-owner`,
      {
        ...stack,
        role: ownerRole(plan.database.owner),
        password: credentials.ownerPassword,
      },
      { parent: this, dependsOn: primary.server, deletedWith: primary.cluster },
    );
    this.database = new Database(name, { ...stack, ...plan.database }, { parent: this, dependsOn: owner });
    this.registerOutputs({});
  }
}
