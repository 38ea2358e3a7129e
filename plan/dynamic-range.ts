import ipaddr from "ipaddr.js";

/** In a narrower subnet a half is too small for the nodes of a topology and their jobs. */
const NARROWEST_DIVIDED_PREFIX = 26;

/**
 * The upper half of a subnet, in CIDR form: where the engine takes the addresses that it hands out. Without it a job's
 * container could be given the fixed address of a node that is about to start. It follows from the subnet alone, since
 * another range is another network to Docker. null: the subnet is too narrow to be divided.
 */
export function dynamicRange(subnet: string): string | null {
  const [address, prefix] = ipaddr.IPv4.parseCIDR(subnet);
  if (prefix > NARROWEST_DIVIDED_PREFIX) return null;
  const octets = address.toByteArray();
  const byte = Math.floor(prefix / 8);
  const bit = 7 - (prefix % 8);
  octets[byte] = (octets[byte] ?? 0) | (1 << bit);
  return `${new ipaddr.IPv4(octets).toString()}/${prefix + 1}`;
}
