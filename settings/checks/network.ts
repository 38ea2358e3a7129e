import ipaddr from "ipaddr.js";
import { type Finding, problem, warning } from "../findings.ts";
import type { KeyPath } from "../key-path.ts";
import { addressesNeeded, handedOut, type NetworkMembers } from "../topology-needs.ts";
import { shown } from "../shown.ts";
import { type Check, counted, listedNodes } from "./check.ts";

const WIDEST_PREFIX = 8;
const NARROWEST_PREFIX = 29;
/** As plan/dynamic-range.ts divides it: the engine hands out addresses of the upper half only. */
const NARROWEST_DIVIDED_PREFIX = 26;
/** Network, broadcast. The gateway counts among the addresses that are needed. */
const UNUSABLE_ADDRESSES = 2;
/** Of the upper half: broadcast. */
const UNUSABLE_OF_HALF = 1;

/** The subnet is one that Docker can use for these nodes, and for what is beside them. */
export const checkSubnet: Check = (file) => {
  const { network, nodes, backup, monitoring } = file;
  const subnet = network?.subnet;
  if (subnet === undefined) return [];
  return subnetFindings(subnet, {
    nodes: nodes?.length ?? 1,
    fixed: listedNodes(file).filter(({ address }) => address !== undefined).length,
    backup: backup?.enabled === true,
    monitoring: monitoring?.enabled === true,
  });
};

function subnetFindings(subnet: string, members: NetworkMembers): readonly Finding[] {
  const path = ["network", "subnet"];
  const [address, prefix] = ipaddr.IPv4.parseCIDR(subnet);
  const first = ipaddr.IPv4.networkAddressFromCIDR(subnet);
  if (prefix < WIDEST_PREFIX || prefix > NARROWEST_PREFIX) {
    return [
      problem(path, {
        what: `${shown(subnet)} has a prefix length of ${prefix}`,
        allowed: `/${WIDEST_PREFIX} to /${NARROWEST_PREFIX}`,
        fix: `Choose one with room for the nodes, for example /${narrowestPrefixFor(members)}.`,
      }),
    ];
  }
  if (first.toString() !== address.toString()) {
    return [
      problem(path, {
        what: `${shown(subnet)} is an address inside a subnet, not a subnet`,
        allowed: "an address with no bits set behind the prefix",
        fix: `Did you mean ${first.toString()}/${prefix}?`,
      }),
    ];
  }
  return [...rangeFindings(path, subnet, first), ...sizeFindings(path, subnet, prefix, members)];
}

function rangeFindings(path: readonly string[], subnet: string, first: ipaddr.IPv4): readonly Finding[] {
  const range = first.range();
  switch (range) {
    case "private":
    case "carrierGradeNat":
      return [];
    case "unicast":
    case "benchmarking":
    case "amt":
    case "as112":
      return [
        warning(path, {
          what: `${shown(subnet)} is not a private subnet: the addresses behind it on the Internet cannot be reached from this host any more`,
          fix: "Choose one inside 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16.",
        }),
      ];
    case "unspecified":
    case "broadcast":
    case "multicast":
    case "linkLocal":
    case "loopback":
    case "reserved":
      return [
        problem(path, {
          what: `${shown(subnet)} is set aside for another use (${range})`,
          allowed: "a subnet inside 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16",
          fix: "Choose another one, or leave it out: the engine then chooses.",
        }),
      ];
    default:
      return range satisfies never;
  }
}

function sizeFindings(
  path: readonly string[],
  subnet: string,
  prefix: number,
  members: NetworkMembers,
): readonly Finding[] {
  if (hasRoom(prefix, members)) return [];
  const { backup, monitoring } = members;
  const beside = [...(backup ? ["the backup server"] : []), ...(monitoring ? ["monitoring"] : [])];
  const uses = [
    "one for each node",
    "one for the base backup of each standby",
    ...(backup ? ["the backup server"] : []),
    ...(monitoring ? ["an exporter for each node", "Prometheus"] : []),
    "the gateway and one to spare",
  ];
  return [
    problem(path, {
      what: `${shown(subnet)} has ${describeRoom(prefix)}, too few for ${[counted(members.nodes, "node"), ...beside].join(" and ")}`,
      allowed: `room for ${addressesNeeded(members)}: ${uses.join(", ")}`,
      fix: `Choose one of /${narrowestPrefixFor(members)} or wider.`,
    }),
  ];
}

const usable = (prefix: number): number => 2 ** (32 - prefix) - UNUSABLE_ADDRESSES;
const isDivided = (prefix: number): boolean => prefix <= NARROWEST_DIVIDED_PREFIX;
/** What the engine hands out, where it takes one half only. */
const usableHalf = (prefix: number): number => 2 ** (31 - prefix) - UNUSABLE_OF_HALF;

function hasRoom(prefix: number, members: NetworkMembers): boolean {
  if (addressesNeeded(members) > usable(prefix)) return false;
  return !isDivided(prefix) || handedOut(members) <= usableHalf(prefix);
}

const describeRoom = (prefix: number): string =>
  isDivided(prefix)
    ? `${usableHalf(prefix)} addresses that are no fixed ones (its upper half)`
    : `${usable(prefix)} addresses`;

function narrowestPrefixFor(members: NetworkMembers): number {
  let prefix = NARROWEST_PREFIX;
  while (prefix > WIDEST_PREFIX && !hasRoom(prefix, members)) prefix -= 1;
  return prefix;
}

/** Fixed addresses lie in the subnet, and Docker does not need them for itself. */
export const checkAddresses: Check = (file, { isRefused }) => {
  const subnet = file.network?.subnet;
  if (isRefused(["network"]) || isRefused(["network", "subnet"]) || (subnet !== undefined && !isUsable(subnet)))
    return [];
  return listedNodes(file).flatMap(({ index, address }) =>
    address === undefined ? [] : addressFindings(["nodes", index, "address"], address, subnet),
  );
};

function isUsable(subnet: string): boolean {
  const [address, prefix] = ipaddr.IPv4.parseCIDR(subnet);
  return prefix <= NARROWEST_PREFIX && ipaddr.IPv4.networkAddressFromCIDR(subnet).toString() === address.toString();
}

function addressFindings(path: KeyPath, address: string, subnet: string | undefined): readonly Finding[] {
  if (subnet === undefined) {
    const what = `${shown(address)} is given, but no subnet that it could be in`;
    const fix =
      "Set network.subnet as well (Docker gives fixed addresses only in a subnet that was chosen), or leave the address out.";
    return [problem(path, { what, fix })];
  }
  const allowed = `an address in ${subnet} behind the gateway's, ${gatewayOf(subnet)}`;
  const fix = "Choose another address, or leave it out: the node is then found by its name.";
  const fault = addressFault(address, subnet);
  return fault === null ? [] : [problem(path, { what: `${shown(address)} ${fault}`, allowed, fix })];
}

function addressFault(address: string, subnet: string): string | null {
  if (!ipaddr.IPv4.parse(address).match(ipaddr.IPv4.parseCIDR(subnet))) return `is not in the subnet ${subnet}`;
  if (address === ipaddr.IPv4.networkAddressFromCIDR(subnet).toString())
    return `is the address of the subnet ${subnet} itself`;
  if (address === ipaddr.IPv4.broadcastAddressFromCIDR(subnet).toString())
    return `is the broadcast address of ${subnet}`;
  return address === gatewayOf(subnet) ? `is the address of the gateway of ${subnet}` : null;
}

/** Docker gives the first address of a subnet to the gateway. */
function gatewayOf(subnet: string): string {
  const [first = 0, second = 0, third = 0, fourth = 0] = ipaddr.IPv4.networkAddressFromCIDR(subnet).octets;
  return [first, second, third, fourth + 1].join(".");
}
