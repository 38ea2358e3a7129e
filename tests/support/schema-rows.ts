import { z } from "zod";

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** Every key of a schema as a row of a table: its path, its type, what it is. */
export const schemaRows = (schema: z.ZodType): string[][] => rows(z.toJSONSchema(schema, { io: "output" }), "");

function rows(schema: JsonSchema, prefix: string): string[][] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, property]) => {
    if (typeof property === "boolean") return [];
    const path = `${prefix}${key}`;
    const inner = present(property);
    const item = typeof inner.items === "object" && !Array.isArray(inner.items) ? inner.items : undefined;
    const row = [`\`${path}\``, typeName(property), property.description ?? ""];
    return [row, ...rows(item ?? inner, item === undefined ? `${path}.` : `${path}[].`)];
  });
}

/** Without the alternative that is null. */
function present(schema: JsonSchema): JsonSchema {
  const [alternative] = (schema.anyOf ?? []).filter((one) => typeof one !== "boolean" && one.type !== "null");
  return typeof alternative === "object" ? alternative : schema;
}

function typeName(schema: JsonSchema): string {
  const inner = present(schema);
  const types = [inner.type ?? []].flat();
  const orNull = inner !== schema || types.includes("null") ? " or null" : "";
  if (inner.const !== undefined) return `\`${JSON.stringify(inner.const)}\`${orNull}`;
  if (inner.enum !== undefined && inner.enum.length < 5) return `${inner.enum.map(String).join(", ")}${orNull}`;
  if (types.includes("array")) return `list${orNull}`;
  const type = types.find((candidate) => candidate !== "null") ?? "";
  return `${inner.format === "date-time" ? "time" : type}${orNull}`;
}
