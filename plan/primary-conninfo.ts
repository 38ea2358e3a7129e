import type { NodeSettings, Settings } from "../settings/settings.ts";
import { CONFIGURATION_FILES, SERVER_PORT } from "./layout.ts";
import { MAINTENANCE_DATABASE } from "./access-rules.ts";

/**
 * How the replication user of one node reaches other nodes: TLS with a verified certificate, the password from a file.
 * connect_timeout does not end a connection attempt to an address that vanished in the middle of it;
 * tcp_user_timeout (milliseconds) does.
 */
export function replicationConninfo(
  settings: Settings,
  applicationName: string,
  hosts: readonly NodeSettings[],
): string {
  return serverConninfo(hosts, settings.replication.user, [
    ["dbname", MAINTENANCE_DATABASE],
    ["application_name", applicationName],
    // No more than that: a standby keeps 1024 bytes of its primary_conninfo, and cuts off the rest.
    ["options", "-cidle_session_timeout=0"],
  ]);
}

/** How any role reaches servers from a container that has the topology's authority and a passfile of its own. */
export function serverConninfo(
  hosts: readonly NodeSettings[],
  user: string,
  own: readonly (readonly [key: string, value: string])[],
): string {
  return [
    ["host", hosts.map((host) => host.name).join(",")],
    ...fixedAddresses(hosts),
    ["port", hosts.map(portOf).join(",")],
    ["user", user],
    ...own,
    ["passfile", CONFIGURATION_FILES.passfile],
    ["sslmode", "verify-full"],
    ["sslrootcert", CONFIGURATION_FILES.certificateAuthority],
    ["ssl_min_protocol_version", "TLSv1.2"],
    ["connect_timeout", "2"],
    ["tcp_user_timeout", "2000"],
    ["keepalives_idle", "5"],
    ["keepalives_interval", "2"],
    ["keepalives_count", "3"],
  ]
    .map(([key, value]) => `${key}=${value}`)
    .join(" ");
}

/** Nodes on several hosts meet where they are published. */
const portOf = ({ host, port }: NodeSettings): number => (host === null ? SERVER_PORT : (port ?? SERVER_PORT));

/** With fixed addresses for all hosts no name has to be looked up; the names are still what certificates are checked for. */
function fixedAddresses(hosts: readonly NodeSettings[]): [string, string][] {
  const addresses = hosts.flatMap(({ host, address }) => host?.address ?? address ?? []);
  return addresses.length === hosts.length ? [["hostaddr", addresses.join(",")]] : [];
}

/**
 * `primary_conninfo` of one node. Without an explicit upstream it lists all others and takes whichever is the primary, so
 * that no file changes when that does. Not whichever is writable: a default_transaction_read_only would hide it.
 */
export function primaryConninfo(settings: Settings, node: NodeSettings): string {
  const others = settings.nodes.filter((other) => other.name !== node.name);
  const upstream = others.filter((other) => other.name === node.upstream);
  if (upstream.length > 0) return replicationConninfo(settings, node.name, upstream);
  return `${replicationConninfo(settings, node.name, others)} target_session_attrs=primary`;
}
