// Whether a value has the shape that the published schema gives the lines of a record. Records come from strangers, so
// nothing of one is used before this. Knows only the keywords that the schema uses; a test compares it with ajv.
import schemaFile from "../../../media/benchmark/record-1.schema.json";

interface Schema {
  readonly $ref?: string;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly items?: Schema;
  readonly minimum?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
}

const lineSchema = schemaFile as Schema;
const definitions = schemaFile.$defs as Readonly<Record<string, Schema>>;
const patterns = new Map<string, RegExp>();

/** What is wrong with a line, with the place in it, or null. */
export function shapeProblem(line: unknown): string | null {
  return problemOf(line, lineSchema, "");
}

function problemOf(value: unknown, schema: Schema, at: string): string | null {
  if (schema.$ref !== undefined) return problemOf(value, resolve(schema.$ref), at);
  if (schema.oneOf) return problemOfKind(value, schema.oneOf, at);
  if (schema.anyOf) return schema.anyOf.some((choice) => !problemOf(value, choice, at)) ? null : wrong(value, at);
  if (schema.const !== undefined) return value === schema.const ? null : wrong(value, at);
  if (schema.enum) return schema.enum.includes(value) ? null : wrong(value, at);
  if (schema.type !== undefined && ![schema.type].flat().some((type) => isOfType(value, type))) return wrong(value, at);
  if (typeof value === "number")
    return schema.minimum !== undefined && value < schema.minimum ? wrong(value, at) : null;
  if (typeof value === "string") return fits(value, schema) ? null : wrong(value, at);
  if (Array.isArray(value)) return problemOfItems(value, schema, at);
  if (typeof value === "object" && value !== null) return problemOfMembers(value, schema, at);
  return null;
}

/** Every kind of object names itself in a constant member, so that the message can be about what it wants to be. */
function problemOfKind(value: unknown, kinds: readonly Schema[], at: string): string | null {
  for (const kind of kinds) {
    const schema = kind.$ref === undefined ? kind : resolve(kind.$ref);
    const [tag, { const: name }] = Object.entries(schema.properties ?? {}).find(([, member]) => "const" in member) ?? [
      "",
      {},
    ];
    if (isObject(value) && Object.hasOwn(value, tag) && value[tag] === name) return problemOf(value, schema, at);
  }
  return wrong(value, at);
}

function problemOfItems(values: readonly unknown[], { items }: Schema, at: string): string | null {
  if (!items) return null;
  for (const [index, value] of values.entries()) {
    const problem = problemOf(value, items, `${at}[${index}]`);
    if (problem) return problem;
  }
  return null;
}

function problemOfMembers(value: object, schema: Schema, at: string): string | null {
  const members = value as Readonly<Record<string, unknown>>;
  const place = (name: string) => (at === "" ? name : `${at}.${name}`);
  for (const name of schema.required ?? []) if (!Object.hasOwn(members, name)) return `"${place(name)}" is missing`;
  for (const name of Object.keys(members)) {
    const properties = schema.properties ?? {};
    const member = Object.hasOwn(properties, name) ? properties[name] : schema.additionalProperties;
    const problem = member && problemOf(members[name], member, place(name));
    if (problem) return problem;
  }
  return null;
}

function fits(text: string, { pattern, maxLength }: Schema): boolean {
  if (maxLength !== undefined && [...text].length > maxLength) return false;
  if (pattern === undefined) return true;
  const compiled = patterns.get(pattern) ?? new RegExp(pattern, "u");
  patterns.set(pattern, compiled);
  return compiled.test(text);
}

function isOfType(value: unknown, type: string): boolean {
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  if (type === "object") return isObject(value);
  if (type === "integer") return Number.isInteger(value);
  return typeof value === type;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function resolve(reference: string): Schema {
  return definitions[reference.slice("#/$defs/".length)] ?? {};
}

function wrong(value: unknown, at: string): string {
  const shown = JSON.stringify(value) ?? String(value);
  const excerpt = shown.length > 60 ? `${shown.slice(0, 57)}...` : shown;
  return at === "" ? `${excerpt} is no entry of a record` : `"${at}" cannot be ${excerpt}`;
}
