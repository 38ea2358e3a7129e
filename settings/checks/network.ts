import ipaddr from "ipaddr.js";
import { type Finding, problem, warning } from "../findings.ts";
import type { KeyPath } from "../key-path.ts";
import { addressesNeeded } from "../topology-needs.ts";
import { shown } from "../shown.ts";
import { type Check, counted, listedNodes } from "./check.ts";

const WIDEST_PREFIX = 8;
const NARROWEST_PREFIX = 29;
/** Network, broadcast. The gateway counts among the addresses that are needed. */
const UNUSABLE_ADDRESSES = 2;

/** The subnet is one that Docker can use for this many nodes. */
export const checkSubnet: Check = ({ network, nodes }) => {
  const subnet = network?.subnet;
  return subnet === undefined ? [] : subnetFindings(subnet, nodes?.length ?? 1);
};

function subnetFindings(subnet: string, nodes: number): readonly Finding[] {
  const path = ["network", "subnet"];
  const [address, prefix] = ipaddr.IPv4.parseCIDR(subnet);
  const first = ipaddr.IPv4.networkAddressFromCIDR(subnet);
  if (prefix < WIDEST_PREFIX || prefix > NARROWEST_PREFIX) {
    return [
      problem(path, {
        what: `${shown(subnet)} has a prefix length of ${prefix}`,
        allowed: `/${WIDEST_PREFIX} to /${NARROWEST_PREFIX}`,
        fix: `Choose one with room for the nodes, for example /${narrowestPrefixFor(nodes)}.`,
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
  return [...rangeFindings(path, subnet, first), ...sizeFindings(path, subnet, prefix, nodes)];
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

function sizeFindings(path: readonly string[], subnet: string, prefix: number, nodes: number): readonly Finding[] {
  const usable = 2 ** (32 - prefix) - UNUSABLE_ADDRESSES;
  const needed = addressesNeeded(nodes);
  if (usable >= needed) return [];
  return [
    problem(path, {
      what: `${shown(subnet)} has ${usable} addresses, too few for ${counted(nodes, "node")}`,
      allowed: `room for ${needed}: one for each node, one for the base backup of each standby, the gateway and one to spare`,
      fix: `Choose one of /${narrowestPrefixFor(nodes)} or wider.`,
    }),
  ];
}

function narrowestPrefixFor(nodes: number): number {
  const bits = Math.ceil(Math.log2(addressesNeeded(nodes) + UNUSABLE_ADDRESSES));
  return Math.min(NARROWEST_PREFIX, 32 - bits);
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
