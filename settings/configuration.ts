import { safeParse } from "zod";
import type { z } from "zod";
import { decode } from "./decode.ts";
import type { Deployment } from "./deployment.ts";
import { didYouMean } from "./did-you-mean.ts";
import { type Finding, problem } from "./findings.ts";
import { openAuthority } from "./sections/own-authority.ts";
import { passwordVersions } from "./sections/passwords.ts";
import { stackFile } from "./stack-file.ts";
import { UNREADABLE } from "./tolerant-reader.ts";

/** The configuration of a stack, as Pulumi hands it to the program. */
export interface StackConfiguration extends Deployment {
  /** All keys with their namespaces (`pg-topology:nodes`), and their values: texts, lists and mappings as JSON. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The keys of `config` whose values, or parts of them, are encrypted in the stack file. */
  readonly secretKeys: ReadonlySet<string>;
}

interface SecretSection {
  /** As much of it as may stand in the open. */
  readonly open: z.core.$ZodType;
  readonly what: string;
  readonly fix: string;
}

/** Sections that hold secrets, by name. Of their values no message shows anything. */
const SECRET_SECTIONS: ReadonlyMap<string, SecretSection> = new Map([
  [
    "passwords",
    {
      open: passwordVersions,
      what: "there is a password in plain text",
      fix: "Set each by: pulumi config set --secret --path passwords.owner. Then choose new ones: those in the file were seen by whoever could read it.",
    },
  ],
  [
    "ownAuthority",
    {
      open: openAuthority,
      what: "there is a private key in plain text",
      fix: "Set it by: cat ca.key | pulumi config set --secret --path ownAuthority.privateKey. Then make another authority: whoever could read the file has its key.",
    },
  ],
]);

export const isSecretSection = (key: unknown): boolean => SECRET_SECTIONS.has(String(key));

const SCHEMAS: ReadonlyMap<string, z.core.$ZodType> = new Map(Object.entries<z.core.$ZodType>(stackFile.shape));

/** The keys that are this program's own, without their namespace. */
export function configuredSections(configuration: StackConfiguration): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    ownEntries(configuration).map(([key, value]) => [key, sectionValue(key, value, configuration)]),
  );
}

function sectionValue(key: string, value: unknown, configuration: StackConfiguration): unknown {
  const schema = SCHEMAS.get(key);
  if (schema === undefined) return value;
  return isNeedlesslySecret(key, configuration) ? UNREADABLE : decode(schema, value);
}

function ownEntries({ config, project }: StackConfiguration): readonly (readonly [key: string, value: unknown])[] {
  const prefix = `${project}:`;
  return Object.entries(config).flatMap(([key, value]) =>
    key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : [],
  );
}

/** Passwords and keys are encrypted; nothing else is, for it would stand in the open on the servers and in the state. */
export function secrecyFindings(configuration: StackConfiguration): readonly Finding[] {
  return ownEntries(configuration).flatMap(([key, value]) => {
    if (isNeedlesslySecret(key, configuration)) {
      const fix = `Set it again by: pulumi config set --plaintext ${key} (for a part of it with --path). Secrets belong into ${[...SECRET_SECTIONS.keys()].join(" and ")}.`;
      return [
        problem([key], {
          what: "it is encrypted, but would be readable on the servers and in the state",
          allowed: "a value that is no secret",
          fix,
        }),
      ];
    }
    const section = SECRET_SECTIONS.get(key);
    if (section === undefined || isSecret(key, configuration) || isOpen(key, section, value)) return [];
    const { what, fix } = section;
    return [problem([key], { what, allowed: "encrypted values (not shown here)", fix })];
  });
}

function isNeedlesslySecret(key: string, configuration: StackConfiguration): boolean {
  return !isSecretSection(key) && SCHEMAS.has(key) && isSecret(key, configuration);
}

function isSecret(key: string, { project, secretKeys }: StackConfiguration): boolean {
  return secretKeys.has(`${project}:${key}`);
}

function isOpen(key: string, { open }: SecretSection, value: unknown): boolean {
  const schema = SCHEMAS.get(key);
  const decoded = schema === undefined ? value : decode(schema, value);
  return safeParse(open, decoded ?? {}).success;
}

/** `pg-toplogy:nodes` would be read by nobody, and missed by nobody but its author. */
export function namespaceFindings({ config, project }: StackConfiguration): readonly Finding[] {
  return Object.keys(config).flatMap((fullKey) => {
    const colon = fullKey.indexOf(":");
    const [namespace, key] = [fullKey.slice(0, colon), fullKey.slice(colon + 1)];
    const isSlip = colon > 0 && namespace !== project && SCHEMAS.has(key) && didYouMean(namespace, [project]) !== null;
    return isSlip
      ? [problem([fullKey], { what: "nothing reads this key", fix: `Did you mean ${project}:${key}?` })]
      : [];
  });
}
