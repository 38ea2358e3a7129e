import ipaddr from "ipaddr.js";
import { z } from "zod";
import { rules } from "../rules.ts";
import { postgresName } from "./names.ts";

/** What pg_hba.conf takes in place of an address. */
const ADDRESS_WORDS: ReadonlySet<string> = new Set(["all", "samenet", "samehost"]);

const address = z
  .string()
  .refine((text) => ADDRESS_WORDS.has(text) || isNetwork(text))
  .register(rules, {
    what: "a network that clients come from",
    allowed:
      "an IPv4 or IPv6 network such as 10.1.0.0/16, with no bits set behind its prefix, or one of all, samenet and samehost",
    fix: "For a single address write 10.1.2.3/32.",
  });

/** Whether a text is a network in CIDR form whose host bits are all zero: PostgreSQL would ignore them, their author did not mean them. */
function isNetwork(text: string): boolean {
  if (ipaddr.IPv4.isValidCIDRFourPartDecimal(text))
    return ipaddr.IPv4.networkAddressFromCIDR(text).toString() === ipaddr.IPv4.parseCIDR(text)[0].toString();
  if (text.includes("%") || !ipaddr.IPv6.isValidCIDR(text)) return false;
  return ipaddr.IPv6.networkAddressFromCIDR(text).toString() === ipaddr.IPv6.parseCIDR(text)[0].toString();
}

const accessRule = z
  .strictObject({
    database: postgresName("the name of a database", "app, or all"),
    user: postgresName("the name of a role", "app, or all"),
    address,
  })
  .register(rules, {
    what: "an access rule",
    allowed: "the keys database, user and address",
    fix: "Write it for example as - { database: app, user: app, address: 10.1.0.0/16 }.",
  });

export const accessRules = z.array(accessRule).register(rules, {
  what: "a list of access rules",
  allowed: "a list with one entry for each rule",
  fix: "Write each rule on a line of its own, for example - { database: app, user: app, address: 10.1.0.0/16 }.",
});
