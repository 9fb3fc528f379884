import type { QueryConfig } from 'pg';

/** So often a text is sent as it is before connections begin to name it: then it is one of those that are always made. */
const OFTEN = 10;
/** A connection keeps every statement that it was given a name for. More different ones than this are texts that vary. */
const MOST = 300;
/** The shape of such an answer is that of the table, and a server refuses a named statement when a migration has changed it. */
const STAR = /^\s*select\s+(\w+\.)?\*|\)\s*select\s+(\w+\.)?\*|returning\s+(\w+\.)?\*/i;

const names = new Map<string, string>();
const uses = new Map<string, number>();

/**
 * Declares a statement that is made very often: each connection has the server parse and plan it once and from then on names it. For fixed
 * texts only. Gives the statement back. What is not declared is named all the same when it has been made {@link OFTEN}.
 */
export const prepared = (sql: string): string => {
  if (!names.has(sql)) names.set(sql, `centralita_${String(names.size)}`);
  return sql;
};

const learnedName = (text: string): string | undefined => {
  const before = uses.get(text) ?? 0;
  if ((before === 0 && uses.size >= MOST) || STAR.test(text)) return undefined;
  uses.set(text, before + 1);
  return before + 1 < OFTEN ? undefined : names.get(prepared(text));
};

/** What the driver is given. */
export const statementOf = (text: string, values: readonly unknown[] = []): QueryConfig => {
  const name = names.get(text) ?? (values.length === 0 ? undefined : learnedName(text));
  return { text, ...(name === undefined ? {} : { name }), ...(values.length === 0 ? {} : { values: [...values] }) };
};
