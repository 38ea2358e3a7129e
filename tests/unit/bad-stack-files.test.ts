import { describe, expect, test } from "vitest";
import { problemsMessage } from "../../settings/problems.ts";
import { type Circumstances, DEPLOYMENT, GOOD, type Keys, parseKeys, problemsOf } from "./settings-support.ts";

/** Key of the problem, and something that only this problem's text says. */
type Expected = readonly [key: string, part: string | RegExp];
type BadFile = readonly [title: string, keys: Keys, problems: readonly Expected[], circumstances?: Circumstances];

const two = (first: Keys, second: Keys): Keys => ({
  nodes: [
    { name: "node-1", ...first },
    { name: "node-2", ...second },
  ],
});
const subnet = (text: string): Keys => ({ network: { subnet: text } });
const numbered = (count: number): Keys[] =>
  Array.from({ length: count }, (_, index) => ({ name: `node-${index + 1}` }));
const addressed = (address: string, within = "172.18.0.0/24"): Keys => ({
  ...two({}, { address }),
  network: { subnet: within },
});
const parameter = (name: string, value: unknown): Keys => ({ parameters: { [name]: value } });
const synchronous = (mode: string, count?: unknown): Keys => ({ replication: { synchronous: { mode, count } } });
const rule = (part: Keys): Keys => ({
  accessRules: [{ database: "app", user: "app", address: "10.1.0.0/16", ...part }],
});

const SHAPES: readonly BadFile[] = [
  ["a text instead of the list of nodes", { nodes: "hello" }, [["nodes", '"hello" is not a list of nodes']]],
  [
    "a mapping instead of the list of nodes",
    { nodes: { "node-1": { port: 5455 } } },
    [["nodes", "a mapping is not a list"]],
  ],
  [
    "names instead of nodes",
    { nodes: ["node-1"] },
    [["nodes[0]", "name, port, address, host, metricsPort, upstream, applyDelay and image"]],
  ],
  ["a node without a name", { nodes: [{ name: "node-1" }, { port: 5456 }] }, [["nodes[1].name", "it is missing"]]],
  ["an empty list of nodes", { nodes: [] }, [["nodes", "it is an empty list"]]],
  ["nodes left empty", { nodes: null }, [["nodes", "it is missing"]]],
  ["a broken list", { nodes: '[{"name": "node-1"' }, [["nodes", "is not a list of nodes"]]],
  ["a list instead of the primary", { primary: ["node-1"] }, [["primary", "a list is not the name of a node"]]],
  ["a number instead of the network", { network: 5 }, [["network", "5 is not a mapping"]]],
  ["a list instead of the parameters", { parameters: ["fsync"] }, [["parameters", "a list is not a mapping"]]],
  [
    "a list as a parameter",
    parameter("search_path", ["a"]),
    [["parameters.search_path", "several values as one text"]],
  ],
  ["a switch where a mapping belongs", { archiving: true }, [["archiving", "{ enabled: true }"]]],
  ["a switch in quotes", { archiving: { enabled: "true" } }, [["archiving.enabled", "without quotes"]]],
  ["yes instead of true", { deletionProtection: "yes" }, [["deletionProtection", '"yes" is not a yes or no']]],
  ["a port left empty", two({ port: null }, {}), [["nodes[0].port", "an empty value is not a port"]]],
  ["arguments in one text", { initdb: { arguments: "--locale=C" } }, [["initdb.arguments", "a list of arguments"]]],
];

const UNKNOWN_KEYS: readonly BadFile[] = [
  ["a misspelt key", { imgae: "postgres:17" }, [["imgae", "Did you mean image?"]]],
  ["a key in another style", { access_rules: [] }, [["access_rules", "Did you mean accessRules?"]]],
  ["a key of nobody's", { colour: "blue" }, [["colour", "Allowed: image, postgresMajor, primary"]]],
  ["a misspelt key of a node", two({ prot: 1 }, {}), [["nodes[0].prot", "Did you mean port?"]]],
  [
    "a misspelt key deep inside",
    { replication: { synchronous: { node: "async" } } },
    [["replication.synchronous.node", "Did you mean mode?"]],
  ],
  [
    "a misspelt key of a mapping",
    { network: { subnett: "10.1.0.0/24" } },
    [["network.subnett", "Did you mean subnet?"]],
  ],
  [
    "a part of a key set without --path",
    { "network.subnet": "10.1.0.0/24" },
    [["network.subnet", "pulumi config set --path"]],
  ],
  ["a misspelt namespace", { "pg-toplogy:nodes": "[]" }, [["pg-toplogy:nodes", "Did you mean pg-topology:nodes?"]]],
  ["the provider's namespace", { "pgtopology:primary": "node-1" }, [["pgtopology:primary", "nothing reads this key"]]],
  ["a key named like a prototype", JSON.parse('{"__proto__": "x"}') as Keys, [["__proto__", "there is no such key"]]],
  [
    "an authority without a version, and one by a slip",
    { certificateAuthority: { version: "two", trustprevious: false } },
    [
      ["certificateAuthority.trustprevious", "Did you mean trustPrevious?"],
      ["certificateAuthority.version", '"two" is not a version'],
    ],
  ],
  ["a misspelt acknowledgement", { acknowledge: { volume: [] } }, [["acknowledge.volume", "Did you mean volumes?"]]],
  [
    "acknowledgements of something else",
    {
      acknowledge: {
        failover: { lostBytes: "many" },
        rejoin: ["nod-2"],
        volumes: ["other-data", "-"],
        synchronous: "yes",
      },
    },
    [
      ["acknowledge.failover.lostBytes", '"many" is not a number of bytes'],
      ["acknowledge.volumes[1]", "is not the name of a Docker volume"],
      ["acknowledge.synchronous", '"yes" is not a yes or no'],
      ["acknowledge.rejoin[0]", "Did you mean node-2?"],
      ["acknowledge.volumes[0]", "names that begin with pg-topology-dev-"],
    ],
  ],
  [
    "a misspelt node that is not fenced",
    { acknowledge: { failover: { lostBytes: 0, unfenced: ["nod-2"] } } },
    [["acknowledge.failover.unfenced[0]", "Did you mean node-2?"]],
  ],
  [
    "fewer than no bytes",
    { acknowledge: { failover: { lostBytes: -1 } } },
    [["acknowledge.failover.lostBytes", "-1 is not a number of bytes"]],
  ],
  [
    "a hook and a guard of something else",
    { hooks: { afterPromotion: "", beforePromotion: "x" }, guard: { whenPeersUnreachable: "panic" } },
    [
      ["guard.whenPeersUnreachable", "start or wait"],
      ["hooks.beforePromotion", "afterPromotion"],
      ["hooks.afterPromotion", "a line of shell"],
    ],
  ],
  [
    "backups that are nobody's, up to a moment that could be two",
    { bootstrap: { from: { stack: "../production", at: "2026-11-20 14:02:59" } } },
    [
      ["bootstrap.from.stack", "letters, digits"],
      ["bootstrap.from.at", "date, time and time zone"],
    ],
  ],
  [
    "backups of no stack",
    { bootstrap: { from: { at: "2026-11-20 14:02:59+00" } } },
    [["bootstrap.from.stack", "it is missing"]],
  ],
  ["automatic failover", { failover: "automatic" }, [["failover", "not have it yet"]]],
];

const backup = (part: Keys, rest: Keys = {}): Keys => ({ backup: { enabled: true, ...part }, ...rest });

const BACKUPS: readonly BadFile[] = [
  ["a retention in words", backup({ retention: "7 days" }), [["backup.retention", "RECOVERY WINDOW OF 7 DAYS"]]],
  ["no backup to keep", backup({ minimumRedundancy: 0 }), [["backup.minimumRedundancy", "never removed"]]],
  ["a schedule in words", backup({ schedule: "daily" }), [["backup.schedule", "minute, hour"]]],
  ["backups from nobody in particular", backup({ from: "any" }), [["backup.from", "primary or standby"]]],
  [
    "backups from a standby that there is not",
    backup({ from: "standby" }, { nodes: [{ name: "node-1" }] }),
    [["backup.from", "no standby without applyDelay"]],
  ],
  [
    "backups from a standby of a server that is too old",
    backup({ from: "standby" }, { image: "postgres:14" }),
    [["backup.from", "PostgreSQL 14 are taken from the primary only"]],
  ],
  ["a schedule out of range", backup({ schedule: "0 24 * * *" }), [["backup.schedule", '"0 24 * * *" is not']]],
  ["a schedule with four fields", backup({ schedule: "0 2 * *" }), [["backup.schedule", "five numeric fields"]]],
  ["a compression of nobody's", backup({ compression: "rar" }), [["backup.compression", "none, gzip or bzip2"]]],
  ["an age without a unit", backup({ lastBackupMaximumAge: "2" }), [["backup.lastBackupMaximumAge", "2 DAYS"]]],
  ["a drill without backups", { drill: { enabled: true } }, [["drill.enabled", "no backups to restore"]]],
  [
    "an assertion that is no text",
    backup({}, { drill: { assertions: [true] } }),
    [["drill.assertions[0]", "only value is true"]],
  ],
  [
    "a quorum that may leave the backup server out",
    backup({}, { replication: { synchronous: { mode: "quorum", includeBackup: true } } }),
    [["replication.synchronous.includeBackup", "Choose mode priority"]],
  ],
  [
    "a backup server to wait for that is not there",
    { replication: { synchronous: { mode: "priority", includeBackup: true } } },
    [["replication.synchronous.includeBackup", "no backup server to wait for"]],
  ],
  ["a drill every now and then", backup({}, { drill: { every: "daily" } }), [["drill.every", "units min, h and d"]]],
  [
    "objectives that nothing measures",
    backup({}, { objectives: { rpoSeconds: 60, rtoSeconds: 300 } }),
    [
      ["objectives.rpoSeconds", "no drill measures it"],
      ["objectives.rtoSeconds", "no drill measures it"],
    ],
  ],
  [
    "objectives that are none",
    { objectives: { maxReplayLagBytes: -1, maxWriteGapMs: "1s", enforce: "no" } },
    [
      ["objectives.maxReplayLagBytes", "0 or more"],
      ["objectives.maxWriteGapMs", "1 or more"],
      ["objectives.enforce", "without quotes"],
    ],
  ],
  ["a misspelt key of backup", backup({ retentoin: "x" }), [["backup.retentoin", "Did you mean retention?"]]],
  [
    "a retention below the minimum",
    backup({ retention: "REDUNDANCY 1", minimumRedundancy: 2 }),
    [["backup.retention", "fewer backups than minimumRedundancy, which is 2"]],
  ],
  [
    "names that the backup server needs",
    backup({}, { database: { owner: "barman" }, replication: { user: "streaming_barman" } }),
    [
      ["database.owner", "a name of the backup server's"],
      ["replication.user", "a name of the backup server's"],
    ],
  ],
  [
    "a node named like the backup server",
    backup({}, two({}, { name: "barman" })),
    [["nodes[1].name", "a name of the backup server's"]],
  ],
  [
    "a Prometheus on a node's port, and the exporters' role for somebody else",
    {
      monitoring: { enabled: true, port: 5455 },
      database: { owner: "postgres_exporter" },
    },
    [
      ["database.owner", "the role of the exporters"],
      ["monitoring.port", "5455 is the port of node-1"],
    ],
  ],
  [
    "monitoring that is neither on nor off",
    { monitoring: { enabled: "yes", port: "9090", grafana: true } },
    [
      ["monitoring.grafana", "Allowed: enabled, host, port"],
      ["monitoring.enabled", "without quotes"],
      ["monitoring.port", "without quotes"],
    ],
  ],
  [
    "too few senders for backups",
    backup({}, parameter("max_wal_senders", 8)),
    [["parameters.max_wal_senders", "the backup server 3"]],
  ],
];

const FIT: Keys = {
  policy: "production",
  replication: { synchronous: { mode: "quorum", count: 1 } },
  backup: { enabled: true },
  drill: { enabled: true },
  deletionProtection: true,
};

const POLICY: readonly BadFile[] = [
  ["a policy of nobody's", { policy: "strict" }, [["policy", "none or production"]]],
  [
    "development under the policy of production",
    { policy: "production", network: { bindAddress: "0.0.0.0" } },
    [
      ["network.bindAddress", "past its firewall"],
      ["replication.synchronous.mode", "lost with the primary"],
      ["backup.enabled", "deleted on every standby"],
      ["deletionProtection", "would remove the data"],
    ],
  ],
  ["backups that nobody restores", { ...FIT, drill: { enabled: false } }, [["drill.enabled", "may be none"]]],
];

const NODES: readonly BadFile[] = [
  ["a primary that is no node", { primary: "node-9" }, [["primary", '"node-9" is not among the nodes']]],
  ["a primary that is none by a slip", { primary: "nod-2" }, [["primary", "Did you mean node-2?"]]],
  ["no primary", { primary: undefined }, [["primary", "pulumi config set primary node-1"]]],
  ["two nodes of one name", two({}, { name: "node-1" }), [["nodes[1].name", "is the name of nodes[0] already"]]],
  [
    "two nodes at one port",
    two({ port: 5455 }, { port: 5455 }),
    [["nodes[1].port", "5455 is the port of nodes[0] already"]],
  ],
  [
    "two nodes at one address",
    { ...two({ address: "172.18.0.11" }, { address: "172.18.0.11" }), ...subnet("172.18.0.0/24") },
    [["nodes[1].address", "is the address of nodes[0] already"]],
  ],
  ["a port above all ports", two({ port: 70_000 }, {}), [["nodes[0].port", "70000 is not a port"]]],
  ["port 0", two({ port: 0 }, {}), [["nodes[0].port", "Allowed: 1 to 65535"]]],
  ["half a port", two({ port: 54.5 }, {}), [["nodes[0].port", "54.5 is not a port"]]],
  ["a port in quotes", two({ port: "5455" }, {}), [["nodes[0].port", '"5455" is not a port']]],
  ["a name in capitals", two({}, { name: "Node-2" }), [["nodes[1].name", '"Node-2" is not a name for a node']]],
  ["a name with an underscore", two({}, { name: "node_2" }), [["nodes[1].name", "it becomes a host name"]]],
  ["a name with a hyphen at its end", two({}, { name: "node-" }), [["nodes[1].name", "no - at its ends"]]],
  ["a name of 64 characters", two({}, { name: "n".repeat(64) }), [["nodes[1].name", "1 to 63 of a-z"]]],
  ["a name too long for the container", two({}, { name: "n".repeat(50) }), [["nodes[1].name", "has 66 characters"]]],
  ["a name that reads as an address", two({}, { name: "0x7f" }), [["nodes[1].name", "reads as an address"]]],
  ["localhost", two({}, { name: "localhost" }), [["nodes[1].name", "means the container itself"]]],
  ["a name with a newline", two({}, { name: "node\n2" }), [["nodes[1].name", '"node\\n2"']]],
  ["a stack whose name fits no host name", {}, [["the stack's name", "pulumi stack rename"]], { stack: "my_stack" }],
  [
    "a stack whose name is too long",
    {},
    [
      ["nodes[0].name", "the container's name"],
      ["nodes[1].name", "at most 63"],
      ["nodes[2].name", "or the stack's"],
    ],
    { stack: "s".repeat(50) },
  ],
];

const NETWORK: readonly BadFile[] = [
  [
    "an address outside the subnet",
    addressed("172.19.0.11"),
    [["nodes[1].address", "is not in the subnet 172.18.0.0/24"]],
  ],
  ["the gateway's address", addressed("172.18.0.1"), [["nodes[1].address", "is the address of the gateway"]]],
  [
    "the gateway's address in the middle of an octet",
    addressed("10.0.4.65", "10.0.4.64/26"),
    [["nodes[1].address", "is the address of the gateway"]],
  ],
  ["the subnet's address", addressed("172.18.0.0"), [["nodes[1].address", "is the address of the subnet"]]],
  ["the broadcast address", addressed("172.18.0.255"), [["nodes[1].address", "is the broadcast address"]]],
  ["an address that is none", addressed("172.18.0.256"), [["nodes[1].address", "is not an IPv4 address"]]],
  ["an address in short", addressed("172.18.11"), [["nodes[1].address", "four numbers"]]],
  ["an IPv6 address", addressed("fd00::11"), [["nodes[1].address", '"fd00::11" is not an IPv4 address']]],
  [
    "an address without a subnet",
    two({}, { address: "172.18.0.11" }),
    [["nodes[1].address", "Set network.subnet as well"]],
  ],
  ["a subnet that is none", subnet("172.18.0.0"), [["network.subnet", "an address and a prefix length"]]],
  ["a subnet with a wrong prefix", subnet("172.18.0.0/33"), [["network.subnet", "is not an IPv4 subnet"]]],
  ["an address as a subnet", subnet("172.18.0.5/24"), [["network.subnet", "Did you mean 172.18.0.0/24?"]]],
  [
    "a subnet too small for the nodes",
    subnet("172.18.0.0/29"),
    [["network.subnet", "has 6 addresses, too few for 3 nodes"]],
  ],
  [
    "a subnet too small for the backup server beside the nodes",
    { ...subnet("172.18.0.0/28"), nodes: numbered(4), backup: { enabled: true }, monitoring: { enabled: true } },
    [["network.subnet", "has 14 addresses, too few for 4 nodes and the backup server and monitoring"]],
  ],
  [
    "a subnet too small for what watches the nodes",
    { ...subnet("172.18.0.0/29"), ...two({}, {}), monitoring: { enabled: true } },
    [["network.subnet", "an exporter for each node, Prometheus"]],
  ],
  [
    "a subnet whose upper half, where the engine takes addresses from, is too small",
    { ...subnet("172.18.0.0/26"), nodes: numbered(11), monitoring: { enabled: true } },
    [["network.subnet", "Choose one of /25 or wider"]],
  ],
  ["a subnet too small at all", subnet("172.18.0.0/30"), [["network.subnet", "for example /28"]]],
  ["a subnet too wide", subnet("10.0.0.0/7"), [["network.subnet", "Allowed: /8 to /29"]]],
  ["the loopback as a subnet", subnet("127.0.0.0/24"), [["network.subnet", "set aside for another use (loopback)"]]],
  ["multicast as a subnet", subnet("224.0.0.0/24"), [["network.subnet", "(multicast)"]]],
  ["an IPv6 subnet", subnet("fd00::/64"), [["network.subnet", "is not an IPv4 subnet"]]],
  [
    "a host name to bind to",
    { network: { bindAddress: "localhost" } },
    [["network.bindAddress", "Leave it out to publish"]],
  ],
];

const DB1 = { docker: "ssh://db1.example.com", address: "10.0.0.11" };
const DB2 = { docker: "ssh://db2.example.com", address: "10.0.0.12" };
const ON_DB1 = { host: "db1", port: 5432 };
const ON_DB2 = { host: "db2", port: 5432 };

/** Two nodes on two hosts, of which one is another one. */
const hosts = (second: Keys, rest: Keys = {}): Keys => ({
  hosts: { db1: DB1, db2: { ...DB2, ...second } },
  ...two(ON_DB1, ON_DB2),
  ...rest,
});

const HOSTS: readonly BadFile[] = [
  ["a list instead of hosts", { hosts: [DB1] }, [["hosts", "a list is not a mapping"]]],
  [
    "a host by its address alone",
    hosts({}, { hosts: { db1: DB1, db2: "10.0.0.12" } }),
    [["hosts.db2", "is not a host"]],
  ],
  [
    "a host with capitals",
    hosts({}, { hosts: { db1: DB1, db2: DB2, DB3: DB2 } }),
    [["hosts.DB3", "a name for a host"]],
  ],
  ["an engine without a scheme", hosts({ docker: "10.0.0.12:2376" }), [["hosts.db2.docker", "ssh://USER@HOST"]]],
  ["an engine at tcp without a port", hosts({ docker: "tcp://10.0.0.12" }), [["hosts.db2.docker", "tcp://HOST:PORT"]]],
  [
    "a password in the address of an engine",
    hosts({ docker: "ssh://ops:x@db2" }),
    [["hosts.db2.docker", "is not the"]],
  ],
  [
    "an engine at tcp without TLS",
    hosts({ docker: "tcp://10.0.0.12:2375" }),
    [["hosts.db2.docker", "whoever reaches it is root on that host"]],
  ],
  [
    "an engine that is to be unencrypted and is not",
    hosts({ docker: "tcp://10.0.0.12:2376", certificates: "./db2", unencrypted: true }),
    [["hosts.db2.unencrypted", "certificates are given"]],
  ],
  [
    "certificates for ssh",
    hosts({ certificates: "./db2", unencrypted: true }),
    [
      ["hosts.db2.certificates", "tcp:// alone"],
      ["hosts.db2.unencrypted", "tcp:// alone"],
    ],
  ],
  ["a host without an address", hosts({ address: undefined }), [["hosts.db2.address", "it is missing"]]],
  ["a host at a loopback address", hosts({ address: "127.0.0.1" }), [["hosts.db2.address", "not a loopback one"]]],
  ["two hosts at one address", hosts({ address: DB1.address }), [["hosts.db2.address", "that of db1 already"]]],
  ["two hosts with one engine", hosts({ docker: DB1.docker }), [["hosts.db2.docker", "that of db1 already"]]],
  [
    "a misspelt host",
    hosts({}, two(ON_DB1, { ...ON_DB2, host: "bd2" })),
    [["nodes[1].host", "is not among the hosts"]],
  ],
  [
    "a node on no host, without a port, and with an address",
    hosts({}, { ...two(ON_DB1, { address: "172.18.0.11" }), network: { subnet: "172.18.0.0/24" } }),
    [
      ["nodes[1].host", "it is missing"],
      ["nodes[1].port", "meet at their published ports"],
      ["nodes[1].address", "on the network of one engine"],
    ],
  ],
  [
    "two nodes at one port of one host",
    hosts({}, two(ON_DB1, ON_DB1)),
    [["nodes[1].port", "5432 is the port of nodes[0] already"]],
  ],
  ["a host of a node, and no hosts", two({}, { host: "b" }), [["nodes[1].host", "there are no hosts"]]],
  ["operators, and no hosts", { network: { operators: ["10.0.0.5"] } }, [["network.operators", "there are no hosts"]]],
  [
    "operators by name",
    hosts({}, { network: { operators: ["laptop"] } }),
    [["network.operators[0]", "an IPv4 address"]],
  ],
  [
    "backups on a misspelt host",
    hosts({}, { backup: { enabled: true, host: "bd2" } }),
    [["backup.host", "is not among the hosts"]],
  ],
  [
    "a host of the backups that is no name",
    hosts({}, { backup: { host: 2 } }),
    [["backup.host", "the name of a host"]],
  ],
  ["a host of the backups, and no hosts", { backup: { host: "db2" } }, [["backup.host", "there are no hosts"]]],
  [
    "Prometheus on a misspelt host",
    hosts({}, { monitoring: { enabled: true, host: "bd2" } }),
    [["monitoring.host", "is not among the hosts"]],
  ],
  ["Prometheus on a host, and no hosts", { monitoring: { host: "db2" } }, [["monitoring.host", "there are no hosts"]]],
  [
    "Prometheus on another host than the backup server",
    hosts({}, { backup: { enabled: true }, monitoring: { enabled: true, host: "db1" } }),
    [["monitoring.host", "the backup server is on db2"]],
  ],
  [
    "a port of an exporter, and no hosts",
    { nodes: [{ name: "node-1", metricsPort: 9300 }] },
    [["nodes[0].metricsPort", "without hosts"]],
  ],
  [
    "two exporters at one port of one host",
    hosts({}, { ...two(ON_DB1, { ...ON_DB1, port: 5433, metricsPort: 9186 }), monitoring: { enabled: true } }),
    [["nodes[1].metricsPort", "takes 9186 and 9187 of its host, and 9187 is the port of the exporter of node-1"]],
  ],
  [
    "an exporter at the port of a node",
    hosts({}, { ...two(ON_DB1, { ...ON_DB2, metricsPort: 5431 }), monitoring: { enabled: true } }),
    [["nodes[1].metricsPort", "5432 is the port of node-2"]],
  ],
  [
    "what there is on one engine only",
    hosts({}, { archiving: { enabled: true }, network: { bindAddress: "10.0.0.11" } }),
    [
      ["network.bindAddress", "at the address of its host"],
      ["archiving.enabled", "nodes on other hosts do not see it"],
    ],
  ],
];

const UPSTREAM: readonly BadFile[] = [
  ["an unknown upstream", two({}, { upstream: "mars" }), [["nodes[1].upstream", '"mars" is not among the nodes']]],
  ["a misspelt upstream", two({}, { upstream: "node1" }), [["nodes[1].upstream", "Did you mean node-1?"]]],
  [
    "a node that streams from itself",
    two({}, { upstream: "node-2" }),
    [["nodes[1].upstream", "cannot stream from itself"]],
  ],
  [
    "a circle of two",
    { nodes: [{ name: "node-1" }, { name: "b", upstream: "c" }, { name: "c", upstream: "b" }] },
    [["nodes[1].upstream", "b from c from b"]],
  ],
  [
    "a circle of three and a node behind it",
    {
      nodes: [
        { name: "node-1" },
        { name: "a", upstream: "b" },
        { name: "b", upstream: "c" },
        { name: "c", upstream: "d" },
        { name: "d", upstream: "b" },
      ],
    },
    [["nodes[2].upstream", "b from c from d from b"]],
  ],
  ["a primary that streams", two({ upstream: "node-2" }, {}), [["nodes[0].upstream", "streams from no other node"]]],
  ["a delayed primary", two({ applyDelay: "30min" }, {}), [["nodes[0].applyDelay", "applies nothing late"]]],
  [
    "an image of another major for one node",
    two({}, { image: "postgres:16" }),
    [["nodes[1].image", '"postgres:16" is PostgreSQL 16, and the topology is PostgreSQL 17']],
  ],
  [
    "an image of another user for one node",
    two({}, { image: "postgres:17-alpine" }),
    [["nodes[1].image", "runs PostgreSQL as user 70"]],
  ],
  ["a delay without a unit", two({}, { applyDelay: 30 }), [["nodes[1].applyDelay", "Write it with its unit"]]],
  ["a delay in text without a unit", two({}, { applyDelay: "30" }), [["nodes[1].applyDelay", '"30" is not a delay']]],
  [
    "a delay in minutes spelt out",
    two({}, { applyDelay: "30 minutes" }),
    [["nodes[1].applyDelay", "ms, s, min, h and d"]],
  ],
  ["no delay at all", two({}, { applyDelay: "0s" }), [["nodes[1].applyDelay", "a number above 0"]]],
  ["a delay above PostgreSQL's limit", two({}, { applyDelay: "25d" }), [["nodes[1].applyDelay", "2147483647ms"]]],
];

const REPLICATION: readonly BadFile[] = [
  [
    "more synchronous standbys than standbys",
    synchronous("quorum", 3),
    [["replication.synchronous.count", "wait for 3 standbys, but 2 can be waited for"]],
  ],
  [
    "synchronous standbys that are delayed or behind others",
    {
      nodes: [{ name: "node-1" }, { name: "b" }, { name: "c", upstream: "b" }, { name: "d", applyDelay: "1h" }],
      ...synchronous("priority", 2),
    },
    [["replication.synchronous.count", "Allowed: at most 1: the standbys"]],
  ],
  [
    "a synchronous primary on its own",
    { nodes: [{ name: "node-1" }], ...synchronous("priority") },
    [["replication.synchronous.count", "but 0 can be waited for"]],
  ],
  [
    "a count with async",
    synchronous("async", 1),
    [["replication.synchronous.count", "with mode async a write waits for no standby"]],
  ],
  [
    "a way to wait for nobody",
    { replication: { synchronous: { mode: "async", whenStandbyMissing: "degrade" } } },
    [["replication.synchronous.whenStandbyMissing", "with mode async a write waits for no standby"]],
  ],
  [
    "an unknown way to wait",
    { replication: { synchronous: { mode: "quorum", whenStandbyMissing: "ignore" } } },
    [["replication.synchronous.whenStandbyMissing", "Allowed: wait or degrade"]],
  ],
  ["a count of none", synchronous("quorum", 0), [["replication.synchronous.count", "0 is not a number of standbys"]]],
  ["a mode that is none", synchronous("sync"), [["replication.synchronous.mode", "async, priority or quorum"]]],
  [
    "too few connections",
    { replication: { connectionLimit: 5 } },
    [["replication.connectionLimit", "Allowed: 6 or more: 2 for each standby"]],
  ],
  [
    "unlimited connections",
    { replication: { connectionLimit: -1 } },
    [["replication.connectionLimit", "-1 is not a number of connections"]],
  ],
  [
    "the owner replicates",
    { replication: { user: "app" } },
    [["replication.user", "is the owner of the database too"]],
  ],
  ["the superuser replicates", { replication: { user: "postgres" } }, [["replication.user", "is the superuser"]]],
];

const NAMES: readonly BadFile[] = [
  [
    "a database that is there already",
    { database: { name: "postgres" } },
    [["database.name", "a database of PostgreSQL's own"]],
  ],
  [
    "a template as database",
    { database: { name: "template1" } },
    [["database.name", "a database of PostgreSQL's own"]],
  ],
  ["a database in capitals", { database: { name: "App" } }, [["database.name", '"App" is not a name for a database']]],
  ["a database of 64 characters", { database: { name: "a".repeat(64) } }, [["database.name", "1 to 63"]]],
  ["a database with a quote", { database: { name: 'a"b' } }, [["database.name", String.raw`"a\"b" is not`]]],
  ["a word of pg_hba.conf as database", { database: { name: "replication" } }, [["database.name", "in pg_hba.conf"]]],
  [
    "a system role as owner",
    { database: { owner: "pg_monitor" } },
    [["database.owner", "PostgreSQL keeps for itself"]],
  ],
  [
    "the superuser as owner",
    { database: { owner: "postgres" } },
    [["database.owner", "not reachable over the network"]],
  ],
  ["the provider's role as owner", { database: { owner: "pgtopology" } }, [["database.owner", "this program logs in"]]],
  ["the public as owner", { database: { owner: "public" } }, [["database.owner", "not allowed as a role's name"]]],
];

const IMAGES: readonly BadFile[] = [
  ["an image too old", { image: "postgres:13.4" }, [["image", "by its tag PostgreSQL 13, is too old"]]],
  [
    "a version too old",
    { image: "team/db:stable", postgresMajor: 12 },
    [["postgresMajor", "Allowed: PostgreSQL 14 or later"]],
  ],
  ["a tag without a version", { image: "postgres:latest" }, [["postgresMajor", "does not begin with the version"]]],
  ["no tag", { image: "postgres" }, [["postgresMajor", "pulumi config set postgresMajor 17"]]],
  ["another version than the tag's", { postgresMajor: 16 }, [["postgresMajor", "whose tag says 17"]]],
  ["a version in words", { postgresMajor: "seventeen" }, [["postgresMajor", '"seventeen" is not a major version']]],
  ["half a version", { postgresMajor: 17.5 }, [["postgresMajor", "a whole number"]]],
  ["Alpine", { image: "postgres:17-alpine" }, [["image", "as user 70"]]],
  ["an image in capitals", { image: "Postgres:17" }, [["image", "is not the name of a Docker image"]]],
  ["an image with a space", { image: "postgres :17" }, [["image", "is not the name of a Docker image"]]],
  [
    "an image with a scheme",
    { image: "https://registry.example/postgres:17" },
    [["image", "such as registry.example:5000/team/postgres:17"]],
  ],
];

const PARAMETERS: readonly BadFile[] = [
  [
    "a size in small letters",
    parameter("shared_buffers", "128mb"),
    [["parameters.shared_buffers", "Did you mean 128MB?"]],
  ],
  [
    "a size in a unit of nobody's",
    parameter("effective_cache_size", "12 GBs"),
    [["parameters.effective_cache_size", "Did you mean 12GB?"]],
  ],
  ["a size in words", parameter("work_mem", "much"), [["parameters.work_mem", "B, kB, MB, GB and TB"]]],
  [
    "a time in words",
    parameter("statement_timeout", "5 minutes"),
    [["parameters.statement_timeout", "Did you mean 5min?"]],
  ],
  [
    "a time in capitals",
    parameter("checkpoint_timeout", "30MIN"),
    [["parameters.checkpoint_timeout", "Did you mean 30min?"]],
  ],
  ["a size for a time", parameter("lock_timeout", "10MB"), [["parameters.lock_timeout", "us, ms, s, min, h and d"]]],
  [
    "neither on nor off",
    parameter("log_checkpoints", "enabled"),
    [["parameters.log_checkpoints", '"enabled" is not on or off']],
  ],
  [
    "a fraction of connections",
    parameter("max_connections", 99.5),
    [["parameters.max_connections", '"99.5" is not a whole number']],
  ],
  ["a number in words", parameter("random_page_cost", "low"), [["parameters.random_page_cost", "is not a number"]]],
  [
    "a misspelt parameter",
    parameter("shared_bufers", "1GB"),
    [["parameters.shared_bufers", "Did you mean shared_buffers?"]],
  ],
  ["a parameter in capitals", parameter("Shared_Buffers", "1GB"), [["parameters.Shared_Buffers", "in lower case"]]],
  ["a parameter that is no name", parameter("a b", 1), [['parameters["a b"]', "is not the name of a parameter"]]],
  ["a value of two lines", parameter("search_path", "a\nport=1"), [["parameters.search_path", "a text of one line"]]],
  ["the addresses", parameter("listen_addresses", "*"), [["parameters.listen_addresses", "network.bindAddress"]]],
  ["the port", parameter("port", 5433), [["parameters.port", "set the port of the node in nodes"]]],
  [
    "TLS",
    parameter("ssl_min_protocol_version", "TLSv1"),
    [["parameters.ssl_min_protocol_version", "owned by the plan"]],
  ],
  [
    "the archive",
    parameter("archive_command", "true"),
    [["parameters.archive_command", "archiving: { enabled: true }"]],
  ],
  [
    "the synchronous standbys",
    parameter("synchronous_standby_names", "*"),
    [["parameters.synchronous_standby_names", "set replication.synchronous"]],
  ],
  [
    "the delay",
    parameter("recovery_min_apply_delay", "1h"),
    [["parameters.recovery_min_apply_delay", "set applyDelay of the node"]],
  ],
  [
    "a recovery target",
    parameter("recovery_target_time", "now"),
    [["parameters.recovery_target_time", "primary says which node"]],
  ],
  ["another file", parameter("include_dir", "/x"), [["parameters.include_dir", "made of the stack file alone"]]],
  ["the log", parameter("logging_collector", true), [["parameters.logging_collector", "docker logs"]]],
  ["what the server reports", parameter("data_checksums", true), [["parameters.data_checksums", "only reports it"]]],
  ["no fsync", parameter("fsync", false), [["parameters.fsync", '"off" loses the database']]],
  ["no full pages", parameter("full_page_writes", "no"), [["parameters.full_page_writes", "Allowed: on"]]],
  ["minimal WAL", parameter("wal_level", "minimal"), [["parameters.wal_level", "replica or logical"]]],
  [
    "a read-only default",
    parameter("default_transaction_read_only", "on"),
    [["parameters.default_transaction_read_only", "hides the primary"]],
  ],
  [
    "a time in which nobody can log in",
    parameter("transaction_timeout", "500ms"),
    [["parameters.transaction_timeout", "Allowed: 0, or 1s and more"]],
  ],
  ["too few senders", parameter("max_wal_senders", 7), [["parameters.max_wal_senders", "Allowed: 8 or more"]]],
  [
    "too few slots",
    parameter("max_replication_slots", 1),
    [["parameters.max_replication_slots", "with 3 nodes each other one has a slot"]],
  ],
  ["too few connections", parameter("max_connections", 9), [["parameters.max_connections", "10 or more"]]],
  [
    "all connections set aside",
    { parameters: { max_connections: 20, superuser_reserved_connections: 20 } },
    [["parameters.superuser_reserved_connections", "20 connections are set aside, out of 20"]],
  ],
  [
    "local commits in a synchronous topology",
    { ...synchronous("quorum"), ...parameter("synchronous_commit", "local") },
    [["parameters.synchronous_commit", "against replication.synchronous.mode quorum"]],
  ],
];

const ACCESS: readonly BadFile[] = [
  [
    "a rule without an address",
    { accessRules: [{ database: "app", user: "app" }] },
    [["accessRules[0].address", "it is missing"]],
  ],
  ["an address without a prefix", rule({ address: "10.1.2.3" }), [["accessRules[0].address", "10.1.2.3/32"]]],
  [
    "an address with bits behind its prefix",
    rule({ address: "10.1.2.3/16" }),
    [["accessRules[0].address", "no bits set behind its prefix"]],
  ],
  [
    "an IPv6 address with bits behind its prefix",
    rule({ address: "fd00::1/64" }),
    [["accessRules[0].address", "no bits set behind its prefix"]],
  ],
  ["a host name", rule({ address: "client.example" }), [["accessRules[0].address", "all, samenet and samehost"]]],
  ["the superuser", rule({ user: "postgres" }), [["accessRules[0].user", "is the superuser"]]],
  ["the replication user", rule({ user: "repuser" }), [["accessRules[0].user", "is the replication user"]]],
  [
    "a replication user of another name",
    { ...rule({ user: "streamer" }), replication: { user: "streamer" } },
    [["accessRules[0].user", "which standbys use and nobody else"]],
  ],
  ["the provider's role", rule({ user: "pgtopology" }), [["accessRules[0].user", "this program logs in"]]],
  [
    "replication as a database",
    rule({ database: "replication" }),
    [["accessRules[0].database", "replication connections"]],
  ],
  ["sameuser", rule({ database: "sameuser" }), [["accessRules[0].database", "a meaning of its own"]]],
  ["a group", rule({ user: "+staff" }), [["accessRules[0].user", '"+staff" is not the name of a role']]],
  ["a method", rule({ method: "trust" }), [["accessRules[0].method", "there is no such key"]]],
];

const INITDB: readonly BadFile[] = [
  [
    "another data directory",
    { initdb: { arguments: ["--pgdata=/x"] } },
    [["initdb.arguments[0]", "the data directory"]],
  ],
  ["trust", { initdb: { arguments: ["--data-checksums", "-A", "trust"] } }, [["initdb.arguments[1]", "pg_hba.conf"]]],
  [
    "another superuser",
    { initdb: { arguments: ["-Uroot"] } },
    [["initdb.arguments[0]", "the superuser is called postgres"]],
  ],
  ["a parameter", { initdb: { arguments: ["--set", "fsync=off"] } }, [["initdb.arguments[0]", "under parameters"]]],
  ["an empty argument", { initdb: { arguments: [""] } }, [["initdb.arguments[0]", "an argument of initdb"]]],
];

const SECRETS: readonly BadFile[] = [
  [
    "a password in plain text",
    { passwords: { owner: "correct horse battery" } },
    [["passwords", "there is a password in plain text"]],
  ],
  [
    "a private key in plain text",
    { ownAuthority: { certificate: "", privateKey: "canary" } },
    [
      ["ownAuthority", "there is a private key in plain text"],
      ["ownAuthority.certificate", "the value (not shown) is not certificates in PEM"],
      ["ownAuthority.privateKey", "(not shown)"],
    ],
  ],
  [
    "an authority without a key",
    { ownAuthority: { certificate: "-----BEGIN CERTIFICATE-----\nbm8=\n-----END CERTIFICATE-----\n" } },
    [["ownAuthority.privateKey", "it is missing"]],
  ],
  [
    "a password of its own for the program, and half a version",
    { passwords: { operator: "correct horse battery", owner: { version: 1.5 } } },
    [
      ["passwords.owner", "{ version: 2 }"],
      ["passwords.operator", "the version of a generated password"],
    ],
    { secret: ["passwords"] },
  ],
  [
    "a version with a password beside it",
    { passwords: { owner: { version: 2, value: "correct horse" } } },
    [
      ["passwords", "there is a password in plain text"],
      ["passwords.owner", "(not shown)"],
    ],
  ],
  [
    "passwords as one text",
    { passwords: "correct horse battery" },
    [["passwords", "is not a mapping"]],
    { secret: ["passwords"] },
  ],
  [
    "a short password",
    { passwords: { owner: "tiny" } },
    [["passwords.owner", "12 to 512 printable ASCII"]],
    { secret: ["passwords"] },
  ],
  [
    "a password of two lines",
    { passwords: { replication: "correct\nhorse battery" } },
    [["passwords.replication", "(not shown)"]],
    { secret: ["passwords"] },
  ],
  [
    "a password that clients would change",
    { passwords: { owner: "Straßenüberführung" } },
    [["passwords.owner", "ASCII"]],
    { secret: ["passwords"] },
  ],
  [
    "a password for nobody",
    { passwords: { superuser: "correct horse battery" } },
    [["passwords", "one of its keys is not known"]],
    { secret: ["passwords"] },
  ],
  [
    "an encrypted key that is no password",
    { parameters: { work_mem: "8MB" } },
    [["parameters", "would be readable on the servers"]],
    { secret: ["parameters"] },
  ],
];

const TABLE = [
  ...HOSTS,
  ...SHAPES,
  ...UNKNOWN_KEYS,
  ...BACKUPS,
  ...POLICY,
  ...NODES,
  ...NETWORK,
  ...UPSTREAM,
  ...REPLICATION,
  ...NAMES,
  ...IMAGES,
  ...PARAMETERS,
  ...ACCESS,
  ...INITDB,
  ...SECRETS,
];

describe("a stack file with", () => {
  test.for(TABLE)("%s", ([, keys, expected, circumstances]) => {
    const problems = problemsOf(parseKeys({ ...GOOD, ...keys }, circumstances));

    expect(problems.map(({ key }) => key)).toEqual(expected.map(([key]) => key));
    expected.forEach(([, part], index) => expect(problems[index]?.text).toMatch(part));
  });
});

describe("all problems are told at once", () => {
  test("of an empty stack file", () => {
    expect(problemsOf(parseKeys({})).map(({ key }) => key)).toEqual(["primary", "nodes"]);
  });

  test("of a stack file as Pulumi.yaml fills it in when it is empty", () => {
    const declared = { primary: "", nodes: [], postgresMajor: "", network: { bindAddress: "127.0.0.1" } };

    expect(problemsOf(parseKeys(declared)).map(({ key }) => key)).toEqual(["primary", "nodes"]);
  });

  test("of every section, in the order of the sections, although some cannot be read", () => {
    const keys = {
      image: "postgres:13",
      primary: "node-9",
      nodes: [
        { name: "node-1", port: 70_000, colour: "blue" },
        { name: "node-1", port: 5456, upstream: "nowhere" },
        { name: "node-3", port: 5456, applyDelay: 5 },
      ],
      network: "hello",
      database: { name: "postgres" },
      replication: { connectionLimit: 1, synchronous: { mode: "quorum", count: 9 } },
      parameters: { shared_buffers: "128mb", port: 1 },
      failover: "automatic",
    };

    expect(problemsOf(parseKeys(keys)).map(({ key }) => key)).toEqual([
      "image",
      "primary",
      "nodes[0].colour",
      "nodes[0].port",
      "nodes[1].name",
      "nodes[1].upstream",
      "nodes[2].applyDelay",
      "nodes[2].port",
      "network",
      "database.name",
      "replication.connectionLimit",
      "replication.synchronous.count",
      "parameters.shared_buffers",
      "parameters.port",
      "failover",
    ]);
  });

  test("but not what only follows from a problem that is told already", () => {
    const noSubnet = { ...two({}, { address: "172.18.0.11" }), network: { subnet: "nonsense" } };
    const noNames = { primary: "b", nodes: [{ name: "A" }, { name: "b", upstream: "c" }] };

    expect(problemsOf(parseKeys({ ...GOOD, ...noSubnet })).map(({ key }) => key)).toEqual(["network.subnet"]);
    expect(problemsOf(parseKeys(noNames)).map(({ key }) => key)).toContain("nodes[0].name");
    expect(problemsOf(parseKeys(noNames)).map(({ key }) => key)).not.toContain("primary");
  });
});

describe("the message", () => {
  const messageOf = (keys: Keys): string => {
    const result = parseKeys(keys);
    return result.ok ? "" : problemsMessage(result.problems, DEPLOYMENT);
  };

  test("names key, value, what is allowed and how to mend it", () => {
    expect(messageOf({ ...GOOD, ...two({}, { port: 70_000 }) })).toBe(
      [
        "The stack file of stack dev has a problem:",
        "",
        "  pg-topology:nodes[1].port: 70000 is not a port.",
        "      Allowed: 1 to 65535, without quotes.",
        "      Choose a free port of this host, or leave it out to not publish the node.",
      ].join("\n"),
    );
  });

  test("counts the problems", () => {
    expect(messageOf({})).toMatch(/^The stack file of stack dev has 2 problems:\n\n {2}pg-topology:primary: /);
  });

  test("shortens long values and shows what is invisible", () => {
    const message = messageOf({ ...GOOD, ...two({}, { name: `\u202E\u001B[2J${"x".repeat(10_000)}` }) });

    expect(message).toContain(String.raw`"\u{202e}\u001b[2Jxxx`);
    expect(message.length).toBeLessThan(500);
  });
});

test("the table is as long as it was meant to be", () => {
  expect(TABLE.length).toBeGreaterThanOrEqual(60);
});
