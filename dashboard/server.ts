import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { OperationError } from "../operations/errors.ts";

/** What is served, made anew for each request. */
export interface DashboardContent {
  readonly page: () => string;
  readonly view: () => string;
}

/** Other machines cannot reach it. */
const LOOPBACK_ADDRESS = "127.0.0.1";

const HEADERS = {
  "cache-control": "no-store",
  // What a policy inside the page cannot say.
  "content-security-policy": "frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "x-content-type-options": "nosniff",
};

/**
 * Serves the page on the loopback interface, to who asks for it by a name of that interface.
 * @param port 0: a free one.
 * @throws OperationError where the port is taken.
 */
export async function serveDashboard(port: number, content: DashboardContent): Promise<Server> {
  const server = createServer((request, response) => answer(request, response, content));
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(listenError(error, port)));
    server.listen(port, LOOPBACK_ADDRESS, () => resolve(server));
  });
}

/** @throws where the server does not listen. */
export function addressOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server listens on no port");
  return `http://${address.address}:${address.port}/`;
}

function listenError(error: NodeJS.ErrnoException, port: number): Error {
  if (error.code !== "EADDRINUSE" && error.code !== "EACCES") return error;
  const why = error.code === "EADDRINUSE" ? "is taken" : "may not be used";
  return new OperationError(
    `Port ${port} of ${LOOPBACK_ADDRESS} ${why}. Choose another one: npm run dashboard -- --port N`,
  );
}

function answer(request: IncomingMessage, response: ServerResponse, { page, view }: DashboardContent): void {
  const refuse = (code: number, why: string, headers: Record<string, string> = {}): void => {
    response.writeHead(code, { ...HEADERS, "content-type": "text/plain; charset=utf-8", ...headers }).end(`${why}\n`);
  };
  if (!isLoopbackName(request.headers.host)) {
    return refuse(421, "This page is there for its own machine: ask for it as localhost.");
  }
  if (request.method !== "GET") return refuse(405, "This page can only be read.", { allow: "GET" });
  const send = (type: string, body: string): void => {
    response.writeHead(200, { ...HEADERS, "content-type": `${type}; charset=utf-8` }).end(body);
  };
  switch (request.url) {
    case "/":
      return send("text/html", page());
    case "/view.json":
      return send("application/json", view());
    default:
      return refuse(404, "There is only / here.");
  }
}

/**
 * A page of the net whose name was made to lead to this machine (DNS rebinding) still asks for it by that name. Any port:
 * an SSH tunnel has one of its own.
 */
const isLoopbackName = (host: string | undefined): boolean =>
  host !== undefined && /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i.test(host);
