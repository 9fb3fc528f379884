import type { QueryConfig } from 'pg';

const names = new Map<string, string>();

/**
 * Declares a statement that is made very often: each connection has the server parse it once and from then on names it. For fixed texts
 * only, since a connection keeps every one of them until it ends. Gives the statement back.
 */
export const prepared = (sql: string): string => {
  if (!names.has(sql)) names.set(sql, `centralita_${String(names.size)}`);
  return sql;
};

/** What the driver is given. */
export const statementOf = (text: string, values?: readonly unknown[]): QueryConfig => {
  const name = names.get(text);
  return { text, ...(name === undefined ? {} : { name }), ...(values === undefined ? {} : { values: [...values] }) };
};
