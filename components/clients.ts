import * as pulumi from "@pulumi/pulumi";
import { hostsFile, hostsPath, rootCertificatePath } from "../plan/client-files.ts";
import { connectionUri } from "../plan/connection-uri.ts";
import { ClientFile } from "../provider/resources/client-file.ts";
import type { Foundation } from "./foundation.ts";

/** What clients need: connection URIs that find the right node by themselves, and the certificate that they verify. */
export class Clients extends pulumi.ComponentResource {
  readonly readWriteUri: pulumi.Output<string>;
  readonly readOnlyUri: pulumi.Output<string>;
  readonly rootCertificate: ClientFile;

  constructor(name: string, { plan, credentials }: Foundation, projectDirectory: string) {
    super("pgtopology:index:Clients", name, {});
    const rootCertificate = rootCertificatePath(projectDirectory, plan);
    const content = credentials.authority.trustedPem;
    const hosts = hostsFile(plan);
    if (hosts !== null) {
      const path = hostsPath(projectDirectory, plan.identity.stack);
      new ClientFile(`${name}-hosts`, { path, content: hosts }, { parent: this });
    }
    this.rootCertificate = new ClientFile(
      `${name}-root-certificate`,
      { path: rootCertificate, content },
      { parent: this },
    );
    const uri = (targetSessionAttrs: "read-write" | "prefer-standby"): pulumi.Output<string> =>
      pulumi.secret(
        credentials.ownerPassword.apply((password) =>
          connectionUri({
            hosts: plan.clientEndpoints,
            database: plan.database.name,
            user: plan.database.owner,
            password,
            targetSessionAttrs,
            rootCertificate,
          }),
        ),
      );
    this.readWriteUri = uri("read-write");
    this.readOnlyUri = uri("prefer-standby");
    this.registerOutputs({});
  }
}
