import type { HostPort } from "./plan.ts";

export interface ConnectionUri {
  readonly hosts: readonly HostPort[];
  readonly database: string;
  readonly user: string;
  readonly password: string;
  readonly targetSessionAttrs: "read-write" | "prefer-standby";
  /** Path of the authority's certificate on the client's machine. */
  readonly rootCertificate: string;
}

/** A libpq URI with several hosts (PostgreSQL, "Connection Strings"): the client finds the node it needs by itself. */
export function connectionUri(uri: ConnectionUri): string {
  const hosts = uri.hosts.map(({ host, port }) => `${host}:${port}`).join(",");
  const credentials = `${encodeURIComponent(uri.user)}:${encodeURIComponent(uri.password)}`;
  const query = [
    `target_session_attrs=${uri.targetSessionAttrs}`,
    "sslmode=verify-full",
    `sslrootcert=${encodeURIComponent(uri.rootCertificate).replaceAll("%2F", "/")}`,
  ].join("&");
  return `postgresql://${credentials}@${hosts}/${encodeURIComponent(uri.database)}?${query}`;
}
