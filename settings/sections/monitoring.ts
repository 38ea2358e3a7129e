import { z } from "zod";
import { rules } from "../rules.ts";
import { onOff } from "./switches.ts";

const port = z.int().min(1).max(65_535).register(rules, {
  what: "a port",
  allowed: "1 to 65535, without quotes",
  fix: "Choose a free port of this host, or leave it out to not publish Prometheus.",
});

const host = z.string().register(rules, {
  what: "the name of a host",
  allowed: "a name from the hosts",
  fix: "Name the host that Prometheus is to be on, or leave it out.",
});

export const monitoring = z
  .strictObject({
    /** @default false */
    enabled: onOff("Write true to have an exporter for each node, and a Prometheus with alerts.").default(false),
    /** With hosts: where Prometheus is. @default - beside the backup server, or where that would be */
    host: host.optional(),
    /** Of Prometheus, on 127.0.0.1: it asks nobody for a password. @default - not published */
    port: port.optional(),
  })
  .register(rules, {
    what: "a mapping",
    allowed: "the keys enabled, host and port",
    fix: "Write it for example as { enabled: true, port: 9090 }.",
  });
