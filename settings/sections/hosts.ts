import ipaddr from "ipaddr.js";
import { z } from "zod";
import { rules } from "../rules.ts";
import { NODE_NAME } from "./nodes.ts";
import { onOff } from "./switches.ts";

const EXAMPLE = "db1: { docker: ssh://ops@db1.example.com, address: 10.0.0.11 }";

const hostName = z.string().regex(NODE_NAME).register(rules, {
  what: "a name for a host",
  allowed: "1 to 63 of a-z, 0-9 and -, with no - at its ends",
  fix: "Call it for example db1.",
});

const UNIX = /^unix:\/\/\/\S+$/;
const SSH = /^ssh:\/\/(?:[^\s@/:]+@)?[^\s@/:]+(?::\d{1,5})?$/;
const TCP = /^tcp:\/\/[^\s@/:]+:\d{1,5}$/;

const docker = z
  .string()
  .refine((text) => [UNIX, SSH, TCP].some((form) => form.test(text)))
  .register(rules, {
    what: "the address of a Docker engine",
    allowed: "ssh://USER@HOST, tcp://HOST:PORT or unix:///PATH",
    fix: "Write it for example as ssh://ops@db1.example.com.",
  });

const address = z
  .string()
  .refine((text) => ipaddr.IPv4.isValidFourPartDecimal(text) && isOfAHost(ipaddr.IPv4.parse(text)))
  .register(rules, {
    what: "an address at which other machines reach a host",
    allowed: "an IPv4 address of the host's own, not a loopback one",
    fix: "Name the address of the network on which the hosts reach each other, for example 10.0.0.11.",
  });

const isOfAHost = (parsed: ipaddr.IPv4): boolean =>
  !["loopback", "unspecified", "broadcast", "multicast"].includes(parsed.range());

const certificates = z.string().min(1).register(rules, {
  what: "a folder",
  allowed: "a path, from the folder of Pulumi.yaml on",
  fix: "Name the folder that holds ca.pem, cert.pem and key.pem, for example ./secrets/db1.",
});

const host = z
  .strictObject({
    docker,
    address,
    /** Of a client, for tcp://. @default - none */
    certificates: certificates.optional(),
    /** Whether tcp:// without TLS is meant: whoever reaches such an engine is root on its host. @default false */
    unencrypted: onOff("Leave it out, and give certificates.").default(false),
  })
  .register(rules, {
    what: "a host",
    allowed: "the keys docker, address, certificates and unencrypted",
    fix: `Write it for example as ${EXAMPLE}.`,
  });

/** By name: the machines that nodes are on. */
export const hosts = z.record(hostName, host).register(rules, {
  what: "a mapping",
  allowed: "names of hosts, and of each where its Docker engine is and its address",
  fix: `Write each on a line of its own, for example ${EXAMPLE}.`,
});
