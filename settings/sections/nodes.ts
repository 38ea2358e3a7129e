import ipaddr from "ipaddr.js";
import { z } from "zod";
import { isApplyDelay } from "../durations.ts";
import { rules } from "../rules.ts";
import { image } from "./image.ts";

/** A label of a host name (RFC 1123). */
export const NODE_NAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

const EXAMPLE = "- { name: node-1, port: 5455 }";

const name = z.string().regex(NODE_NAME).register(rules, {
  what: "a name for a node",
  allowed: "1 to 63 of a-z, 0-9 and -, with no - at its ends, for it becomes a host name",
  fix: "Call it for example node-1.",
});

const port = z.int().min(1).max(65_535).register(rules, {
  what: "a port",
  allowed: "1 to 65535, without quotes",
  fix: "Choose a free port of this host, or leave it out to not publish the node.",
});

const metricsPort = z.int().min(1).max(65_534).register(rules, {
  what: "a port",
  allowed: "1 to 65534, without quotes",
  fix: "Choose a port of its host that is free, as the next one is, or leave it out for 9187.",
});

const address = z
  .string()
  .refine((text) => ipaddr.IPv4.isValidFourPartDecimal(text))
  .register(rules, {
    what: "an IPv4 address",
    allowed: "four numbers of 0 to 255, such as 172.18.0.11",
    fix: "Choose an address inside the network's subnet, or leave it out: the node is then found by its name.",
  });

const upstream = z.string().register(rules, {
  what: "the name of a node",
  allowed: "a name from the list of nodes",
  fix: "Name the node to stream from, or leave it out to stream from the primary.",
});

const applyDelay = z.string().refine(isApplyDelay).register(rules, {
  what: "a delay",
  allowed: "a number above 0 with one of the units ms, s, min, h and d, at most 2147483647ms (24.8d)",
  fix: "Write it with its unit, for example 30min, or leave it out to apply changes at once.",
});

const host = z.string().register(rules, {
  what: "the name of a host",
  allowed: "a name from the hosts",
  fix: "Name the host that the node is on, or leave it out where there are no hosts.",
});

export const node = z
  .strictObject({
    name,
    /** @default - not published */
    port: port.optional(),
    /** @default - found by DNS name */
    address: address.optional(),
    /** @default - the engine of this machine */
    host: host.optional(),
    /** With hosts and monitoring: of its exporter, and the next one for that of the disk. @default 9187 */
    metricsPort: metricsPort.optional(),
    /** @default - the primary */
    upstream: upstream.optional(),
    /** @default - applied at once */
    applyDelay: applyDelay.optional(),
    /** @default - that of the topology */
    image: image.optional(),
  })
  .register(rules, {
    what: "a node",
    allowed: "the keys name, port, address, host, metricsPort, upstream, applyDelay and image",
    fix: `Write it for example as ${EXAMPLE}.`,
  });

export const nodes = z.array(node).register(rules, {
  what: "a list of nodes",
  allowed: "a list with one entry for each node, at least one",
  fix: `Write each node on a line of its own, for example ${EXAMPLE}.`,
});

/** Which of `nodes` takes writes. Required: nothing else says where the data comes from. */
export const primary = z.string().register(rules, {
  what: "the name of a node",
  allowed: "the name of the node that takes writes, one from the list of nodes",
  fix: "Name it, for example by: pulumi config set primary node-1",
});
