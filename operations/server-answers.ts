import { connect } from "node:net";
import type { HostPort } from "./node.ts";

const TIMEOUT_MILLISECONDS = 2000;

/** Of PostgreSQL's protocol ("SSLRequest"): eight bytes that a server answers with one, before anybody logs in. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

/** Whether a PostgreSQL server answers there. A proxy that only takes connections does not count. */
export function serverAnswers({ host, port }: HostPort): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (answers: boolean): void => {
      socket.destroy();
      resolve(answers);
    };
    socket.setTimeout(TIMEOUT_MILLISECONDS, () => end(false));
    socket.once("error", () => end(false));
    socket.once("close", () => end(false));
    socket.once("connect", () => socket.write(SSL_REQUEST));
    socket.once("data", () => end(true));
  });
}
