import * as grpc from "@grpc/grpc-js";
import engineGrpc from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import enginePb from "@pulumi/pulumi/proto/engine_pb.js";

export type Severity = "info" | "warning";

/** Writes lines onto the row of a resource in what `pulumi preview` and `pulumi up` show. */
export class EngineLog {
  readonly #client: engineGrpc.EngineClient | undefined;

  /** @param address of the engine; undefined: lines go nowhere. */
  constructor(address: string | undefined) {
    this.#client = address === undefined ? undefined : newClient(address);
  }

  /** A line that stays: on the row, and again below, under Diagnostics. */
  line(urn: string, severity: Severity, message: string): Promise<void> {
    return this.#send(urn, severity, message, false);
  }

  /** A line that the next one replaces. */
  status(urn: string, message: string): Promise<void> {
    return this.#send(urn, "info", message, true);
  }

  #send(urn: string, severity: Severity, message: string, ephemeral: boolean): Promise<void> {
    const client = this.#client;
    if (client === undefined) return Promise.resolve();
    const request = new enginePb.LogRequest();
    request.setUrn(urn);
    request.setMessage(message);
    request.setSeverity(severity === "warning" ? enginePb.LogSeverity.WARNING : enginePb.LogSeverity.INFO);
    request.setEphemeral(ephemeral);
    // A line that cannot be shown is no reason to fail the work that it tells of.
    return new Promise((resolve) => client.log(request, () => resolve()));
  }
}

const newClient = (address: string): engineGrpc.EngineClient =>
  new engineGrpc.EngineClient(address, grpc.credentials.createInsecure());
