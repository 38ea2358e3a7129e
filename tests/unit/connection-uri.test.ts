import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { connectionUri } from "../../plan/connection-uri.ts";
import type { ConnectionUri } from "../../plan/connection-uri.ts";

const URI: ConnectionUri = {
  hosts: [
    { host: "127.0.0.1", port: 5455 },
    { host: "127.0.0.1", port: 5456 },
  ],
  database: "app",
  user: "app",
  password: "secret",
  targetSessionAttrs: "read-write",
  rootCertificate: "/home/me/pg-topology/root.crt",
};

/** The parts of a URI as libpq reads them: percent-encoding undone in each. */
function parts(uri: string): Record<string, string> {
  const [, user = "", password = "", hosts = "", database = "", query = ""] =
    /^postgresql:\/\/([^:@/?]*):([^:@/?]*)@([^/?]*)\/([^/?]*)\?(.*)$/.exec(uri) ?? [];
  const parameters = query.split("&").map((parameter) => parameter.split("=") as [string, string]);
  const decoded = Object.entries({ user, password, hosts, database, ...Object.fromEntries(parameters) });
  return Object.fromEntries(decoded.map(([key, value]) => [key, decodeURIComponent(value)]));
}

describe("a connection URI", () => {
  test("names every host, asks for the session it needs and verifies the server", () => {
    expect(connectionUri(URI)).toBe(
      "postgresql://app:secret@127.0.0.1:5455,127.0.0.1:5456/app" +
        "?target_session_attrs=read-write&sslmode=verify-full&sslrootcert=/home/me/pg-topology/root.crt",
    );
  });

  test("survives any name and password", () => {
    const text = fc.string({ unit: "grapheme", minLength: 1 });
    fc.assert(
      fc.property(text, text, text, text, (user, password, database, path) => {
        const rootCertificate = `/${path}`;
        const uri = connectionUri({ ...URI, user, password, database, rootCertificate });
        expect(parts(uri)).toMatchObject({ user, password, database, sslrootcert: rootCertificate });
      }),
    );
  });
});
