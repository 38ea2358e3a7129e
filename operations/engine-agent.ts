import { Agent as HttpAgent } from "node:http";
import type { ClientRequest } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { connect } from "node:net";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

/**
 * A host that has vanished answers nothing at all, and the kernel would go on asking for two minutes. Over a lossy link
 * the first packet may be lost, and the second after a second: the third is sent after three.
 */
const CONNECT_TIMEOUT_MILLISECONDS = 5000;

/** So long a connection waits for the next request, which then needs no handshake. */
export const IDLE_MILLISECONDS = 2000;

export interface EnginePlace {
  readonly host: string;
  readonly port: number;
}

/** Keeps connections to an engine at an address, and notices soon when that is gone. */
export function engineAgent({ protocol, ...place }: EnginePlace & { readonly protocol: "http" | "https" }): HttpAgent {
  const options = { keepAlive: true, timeout: IDLE_MILLISECONDS, scheduling: "lifo" } as const;
  const agent = protocol === "https" ? new HttpsAgent(options) : new HttpAgent(options);
  const createConnection = agent.createConnection.bind(agent);
  const reuseSocket = agent.reuseSocket.bind(agent);
  agent.createConnection = (connection, callback) => impatient(createConnection(connection, callback) as Socket);
  agent.reuseSocket = (socket, request) => {
    reuseSocket(socket, request);
    watch(place, socket, request);
  };
  return agent;
}

function impatient(socket: Socket): Socket {
  const giveUp = (): Socket =>
    socket.destroy(new Error(`no connection within ${CONNECT_TIMEOUT_MILLISECONDS / 1000} s`));
  const timer = setTimeout(giveUp, CONNECT_TIMEOUT_MILLISECONDS);
  for (const event of ["connect", "close"]) socket.once(event, () => clearTimeout(timer));
  return socket;
}

/**
 * A request on a kept connection may have gone into a link that was cut meanwhile, which the kernel tells after a quarter
 * of an hour. One that is not answered soon is given up if there is no new connection either.
 */
function watch({ host, port }: EnginePlace, socket: Duplex, request: ClientRequest): void {
  const timer = setTimeout(() => {
    const probe = impatient(connect(port, host));
    probe.once("connect", () => probe.destroy());
    probe.once("error", (error) => socket.destroy(error));
  }, CONNECT_TIMEOUT_MILLISECONDS);
  for (const event of ["response", "upgrade", "close"]) request.once(event, () => clearTimeout(timer));
}
