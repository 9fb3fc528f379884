import { readFileSync } from 'node:fs';
import { withCredentialsDir } from '@centralita/event-store/connection';
import { z } from 'zod';

/** The settings of a schema by name, also of one that makes something else of them. */
export const settingsOf = (schema: z.ZodType): Readonly<Record<string, z.ZodType>> => {
  if (schema instanceof z.ZodObject) return schema.shape;
  if (schema instanceof z.ZodPipe) return settingsOf(schema.in as z.ZodType);
  return {};
};

type Marks = { readonly secret?: unknown; readonly database?: unknown };

const marksOf = (schema: z.ZodType): Marks => {
  const own = schema.meta() as Marks | undefined;
  if (own?.secret !== undefined) return own;
  const wraps = schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodNonOptional;
  return wraps ? marksOf(schema.unwrap() as z.ZodType) : {};
};

/** The settings that go with one: a file with what it holds, a folder with name and password. Null where there is none. */
export const companionsOf = (
  name: string,
  schema: z.ZodType,
): { readonly file: string | null; readonly credentials: string | null } => {
  const { secret, database } = marksOf(schema);
  return {
    file: secret === true ? `${name}_FILE` : null,
    credentials: database === true ? name.replace(/_URL$/, '_CREDENTIALS_DIR') : null,
  };
};

type Given = Readonly<Record<string, string>>;
type Refuse = (name: string, message: string, about: string) => void;

const fromFile = (given: Given, name: string, file: string, refuse: Refuse): Given => {
  const path = given[file];
  if (path === undefined) return given;
  if (given[name] !== undefined) {
    refuse(name, `is of no use beside ${file}`, name);
    return given;
  }
  try {
    return { ...given, [name]: readFileSync(path, 'utf8').replace(/\r?\n$/, '') };
  } catch {
    refuse(file, 'cannot be read', name);
    return given;
  }
};

const withCredentials = (given: Given, name: string, credentials: string, refuse: Refuse): Given => {
  const [url, folder] = [given[name], given[credentials]];
  if (folder === undefined || url === undefined || !URL.canParse(url)) return given;
  const { username, password } = new URL(url);
  if (username !== '' || password !== '') refuse(credentials, `is of no use beside a name or password in ${name}`, name);
  for (const file of ['username', 'password'])
    try {
      readFileSync(`${folder}/${file}`);
    } catch {
      refuse(credentials, `must name a folder with the file ${file}`, name);
    }
  return { ...given, [name]: withCredentialsDir(url, folder) };
};

/**
 * What is given for these settings, with secrets read from their files: `NAME_FILE` for NAME, and a folder of credentials put into the
 * address of its database. `refuse` is told what is wrong, and which setting cannot be judged for it.
 */
export const withFiles = (given: Given, schemas: readonly z.ZodType[], refuse: Refuse): Given => {
  const fields = Object.assign({}, ...schemas.map(settingsOf)) as Record<string, z.ZodType>;
  let found = given;
  for (const [name, schema] of Object.entries(fields)) {
    const { file, credentials } = companionsOf(name, schema);
    if (file !== null && !(file in fields)) found = fromFile(found, name, file, refuse);
    if (credentials !== null) found = withCredentials(found, name, credentials, refuse);
  }
  return found;
};
