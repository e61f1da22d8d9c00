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

/** What is wrong with a plan, as records and bundles have it, or null. */
export function planProblem(plan: unknown): string | null {
  const problem = problemOf(plan, definitions.plan ?? {});
  return problem && `${problem.place.replace(/^\./, "")} ${problem.what}`.trim();
}

/** The place is put together on the way out only: nearly every value is good. */
interface Problem {
  readonly place: string;
  readonly what: string;
}

/** What is wrong with a line, with the place in it, or null. */
export function shapeProblem(line: unknown): string | null {
  const problem = problemOf(line, lineSchema);
  if (!problem) return null;
  const { place, what } = problem;
  return place === "" ? `${what} is no entry of a record` : `"${place.replace(/^\./, "")}" ${what}`;
}

function problemOf(value: unknown, schema: Schema): Problem | null {
  if (schema.$ref !== undefined) return problemOf(value, resolve(schema.$ref));
  if (schema.oneOf) return problemOfKind(value, schema.oneOf);
  if (schema.anyOf) return schema.anyOf.some((choice) => !problemOf(value, choice)) ? null : wrong(value);
  if (schema.const !== undefined) return value === schema.const ? null : wrong(value);
  if (schema.enum) return schema.enum.includes(value) ? null : wrong(value);
  if (schema.type !== undefined && !isOfType(value, schema.type)) return wrong(value);
  if (typeof value === "number") return schema.minimum !== undefined && value < schema.minimum ? wrong(value) : null;
  if (typeof value === "string") return fits(value, schema) ? null : wrong(value);
  if (Array.isArray(value)) return problemOfItems(value, schema);
  return isObject(value) ? problemOfMembers(value, schema) : null;
}

/** Every kind of object names itself in its first constant member, so that the message is about what it wants to be. */
function problemOfKind(value: unknown, kinds: readonly Schema[]): Problem | null {
  for (const kind of kinds) {
    const schema = kind.$ref === undefined ? kind : resolve(kind.$ref);
    const members = schema.properties ?? {};
    const tag = Object.keys(members).find((name) => members[name]?.const !== undefined) ?? "";
    if (isObject(value) && Object.hasOwn(value, tag) && value[tag] === members[tag]?.const)
      return problemOf(value, schema);
  }
  return wrong(value);
}

function problemOfItems(values: readonly unknown[], { items }: Schema): Problem | null {
  if (!items) return null;
  for (let index = 0; index < values.length; index++) {
    const problem = problemOf(values[index], items);
    if (problem) return within(`[${index}]`, problem);
  }
  return null;
}

function problemOfMembers(members: Readonly<Record<string, unknown>>, schema: Schema): Problem | null {
  for (const name of schema.required ?? [])
    if (!Object.hasOwn(members, name)) return { place: `.${name}`, what: "is missing" };
  const { properties = {}, additionalProperties } = schema;
  for (const name of Object.keys(members)) {
    const member = Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
    const problem = member && problemOf(members[name], member);
    if (problem) return within(`.${name}`, problem);
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

function isOfType(value: unknown, type: string | readonly string[]): boolean {
  if (typeof type !== "string") return type.some((one) => isOfType(value, one));
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  if (type === "object") return isObject(value);
  if (type === "integer") return Number.isInteger(value);
  // JSON can say 1e999, which is read as infinite.
  if (type === "number") return Number.isFinite(value);
  return typeof value === type;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function resolve(reference: string): Schema {
  return definitions[reference.slice("#/$defs/".length)] ?? {};
}

function wrong(value: unknown): Problem {
  const shown = typeof value === "number" ? String(value) : written(value);
  return { place: "", what: shown.length > 60 ? `${shown.slice(0, 57)}...` : shown };
}

function written(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return "something nested too deeply to show"; // JSON is read to a depth that it cannot be written to.
  }
}

function within(place: string, inner: Problem): Problem {
  const what = inner.place === "" ? `cannot be ${inner.what}` : inner.what;
  return { place: place + inner.place, what };
}
