import ipaddr from "ipaddr.js";
import { z } from "zod";
import { rules } from "../rules.ts";

const subnet = z
  .string()
  .refine((text) => ipaddr.IPv4.isValidCIDRFourPartDecimal(text))
  .register(rules, {
    what: "an IPv4 subnet",
    allowed: "an address and a prefix length, such as 172.18.0.0/24",
    fix: "Choose a private subnet that nothing else uses, or leave it out: the engine then chooses one.",
  });

const bindAddress = z
  .string()
  .refine((text) => ipaddr.IPv4.isValidFourPartDecimal(text))
  .register(rules, {
    what: "an IPv4 address",
    allowed: "an IPv4 address of this host, or 0.0.0.0 for all of them",
    fix: "Leave it out to publish the ports on 127.0.0.1, to this host alone.",
  });

const operator = z
  .string()
  .refine((text) => ipaddr.IPv4.isValidFourPartDecimal(text))
  .register(rules, {
    what: "an IPv4 address",
    allowed: "four numbers of 0 to 255, such as 10.0.0.5",
    fix: "Name the address with which this machine comes to the hosts.",
  });

const operators = z.array(operator).register(rules, {
  what: "a list of addresses",
  allowed: "a list of IPv4 addresses of machines that run pulumi up and are none of the hosts",
  fix: "Write it for example as [10.0.0.5].",
});

export const network = z
  .strictObject({
    /** @default - the engine chooses one */
    subnet: subnet.optional(),
    /** @default "127.0.0.1" */
    bindAddress: bindAddress.default("127.0.0.1"),
    /** With hosts: from where this program logs in to the nodes. @default - from the hosts alone */
    operators: operators.optional(),
  })
  .register(rules, {
    what: "a mapping",
    allowed: "the keys subnet, bindAddress and operators",
    fix: "Write it for example as { subnet: 172.18.0.0/24, bindAddress: 127.0.0.1 }.",
  });
