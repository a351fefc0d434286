import { BODIES, HELPERS, PARAMETERS } from "./postgres-functions.ts";
import { checkSchema, DEFAULT_SCHEMA } from "./postgres-options.ts";
import { SCHEMA } from "./postgres-schema.ts";
import { USER_BODIES, USER_HELPERS, USER_PARAMETERS } from "./postgres-user-functions.ts";

/** A function of the database that the store calls. */
export type Verb = keyof typeof PARAMETERS | keyof typeof USER_PARAMETERS;

const ALL_PARAMETERS: Readonly<Record<Verb, string>> = { ...PARAMETERS, ...USER_PARAMETERS };
const ALL_BODIES: Readonly<Record<Verb, string>> = { ...BODIES, ...USER_BODIES };

/** What stands as a comment on the table of sessions: a layout may grow, functions of one version never change. */
const LAYOUT = "fastsession 1";

/** For this transaction: no notices of what is there already, which some clients print. */
const QUIETLY = "select set_config('client_min_messages', 'warning', true);";

/** The names in a text: `@name` for `fastsession_name` in the schema, `@channel` as a literal. */
function inSchema(schema: string, text: string): string {
  return text.replace(/@channel\b/g, `'${channelOf(schema)}'`).replace(/@(?=[a-z])/g, `"${schema}".fastsession_`);
}

/** What processes listen on. */
export function channelOf(schema: string): string {
  return `fastsession_${schema}`;
}

/**
 * The statements that `migrate()` runs, for who runs migrations himself: in one transaction (`psql -1 -f`), any number of
 * times.
 *
 * @throws TypeError for a schema that is no name
 *
 * @example
 * await writeFile("migrations/007-sessions.sql", migrationSql({ schema: "web" }));
 */
export function migrationSql({ schema = DEFAULT_SCHEMA }: { readonly schema?: string } = {}): string {
  checkSchema(schema);
  return migration(schema);
}

/** Everything there is to make, safe to run again and by several at once: they wait for each other. */
export function migration(schema: string): string {
  const functions = (Object.keys(ALL_BODIES) as Verb[]).map((verb) => {
    const parameters = ALL_PARAMETERS[verb].replace(/(^|,)\s*/g, "$1 p_").trim();
    const answer = verb === "load" ? "table (name text, text text)" : "text";
    return `create or replace function @v1_${verb}(${parameters}) returns ${answer} language plpgsql as $$${ALL_BODIES[verb]} $$;`;
  });
  const parts = [SCHEMA, HELPERS, USER_HELPERS, ...functions, `comment on table @sessions is '${LAYOUT}';`];
  const make = `do $$ begin
  if not exists (select 1 from pg_namespace where nspname = '${schema}') then create schema "${schema}"; end if;
end $$;`;
  return inSchema(
    schema,
    `${QUIETLY}\nselect pg_advisory_xact_lock(hashtextextended('fastsession migration', 0));\n${make}\n${parts.join("\n")}\n`,
  );
}

/** What is asked without a function: whether everything is there, and whether the table can be read. Both answer JSON. */
const QUESTIONS: Readonly<Record<"layout" | "ping", string>> = {
  layout: `(coalesce(obj_description(to_regclass('@sessions'), 'pg_class'), '') = '${LAYOUT}')::text`,
  ping: "(select count(*) from (select 1 from @sessions limit 0) nothing)::text",
};

/** What the store asks or does with one statement. */
export type Call = Verb | keyof typeof QUESTIONS;

/** Precise clocks give fractions of a millisecond, which a text of a `bigint` may not have. */
const CASTS: Readonly<Record<string, string>> = { text: "", bigint: "::double precision::bigint" };

/**
 * How each function is called. All parameters travel as texts: then no client has to know the types of others, and
 * arrays need no catalogue of types (`fetch_types` of postgres.js). The last is a mark, which comes back beside the answer.
 */
export function calls(schema: string): { readonly [Name in Call]: string } {
  const entries = (Object.keys(ALL_PARAMETERS) as Verb[]).map((verb) => {
    const types = ALL_PARAMETERS[verb].split(",").map((parameter) => parameter.trim().replace(/^\w+ /, ""));
    const values = types.map((type, index) => `$${index + 1}::text${CASTS[type] ?? `::${type}`}`).join(", ");
    const call = `@v1_${verb}(${values})`;
    const mark = `$${types.length + 1}::text`;
    const text =
      verb === "load" ? `select ${mark}, null union all select name, text from ${call}` : `select ${call}, ${mark}`;
    return [verb, inSchema(schema, text)];
  });
  const questions = Object.entries(QUESTIONS).map(([name, text]) => [
    name,
    inSchema(schema, `select ${text}, $1::text`),
  ]);
  return Object.fromEntries([...entries, ...questions]) as { [Name in Call]: string };
}
