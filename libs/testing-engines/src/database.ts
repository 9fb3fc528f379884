import { randomBytes } from 'node:crypto';
import { Client } from 'pg';

export type TestDatabase = {
  name: string;
  /** Owns the database and runs migrations; not a superuser. */
  ownerUrl: string;
  appUrl: string;
  relayUrl: string;
  /** Superuser, in this database: for what a test must see behind row-level security. */
  adminUrl: string;
  /** Ends all sessions and removes database and roles. */
  drop(): Promise<void>;
};

/** Work over one connection, which is closed whatever becomes of it. */
export const withClient = async <T>(url: string, work: (client: Client) => Promise<T>): Promise<T> => {
  const client = new Client({ connectionString: url });
  // A server that goes away is told to the query under way; without a listener it would end this process as well.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
};

const urlOf = (admin: string, database: string, role?: { name: string; password: string }): string => {
  const url = new URL(admin);
  url.pathname = `/${database}`;
  if (role !== undefined) {
    url.username = role.name;
    url.password = role.password;
  }
  return url.href;
};

/** Names and passwords that `createDatabase` gives a database and its three roles. */
export type DatabaseSpec = { name: string; password: string };

const rolesOf = (name: string): [owner: string, app: string, relay: string] => [`${name}_owner`, `${name}_app`, `${name}_relay`];

type RoleRow = { readonly mighty: boolean };

/** Creates the role or gives it this password. One that may more than sign in is brought down, which takes a superuser. */
const prepareRole = async (client: Client, role: string, password: string): Promise<void> => {
  const { rows } = await client.query<RoleRow>(
    'SELECT rolsuper OR rolbypassrls OR rolcreatedb OR rolcreaterole AS mighty FROM pg_roles WHERE rolname = $1',
    [role],
  );
  const verb = rows.length === 0 ? 'CREATE' : 'ALTER';
  // Not always: naming these attributes at all is refused to anybody but a superuser.
  const less = rows[0]?.mighty === true ? 'NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE' : '';
  await client.query(`${verb} ROLE ${role} LOGIN ${less} PASSWORD ${client.escapeLiteral(password)}`);
};

/**
 * Creates a database with the roles `<name>_owner`, `<name>_app` and `<name>_relay`, or brings those that exist in line. The owner
 * owns the database (and so its schema `public`) and nothing else; nobody outside the three may connect. The role of `adminUrl`
 * must be able to create databases and roles; one that is no superuser becomes a member of the owners.
 */
export const createDatabase = async (adminUrl: string, spec: DatabaseSpec): Promise<Omit<TestDatabase, 'drop'>> => {
  const { name, password } = spec;
  if (!/^[a-z][a-z0-9_]{0,50}$/.test(name)) throw new Error(`"${name}" is no name for a database here`);
  const roles = rolesOf(name);
  await withClient(adminUrl, async (client) => {
    for (const role of roles) await prepareRole(client, role, password);
    const { rows } = await client.query<{ member: boolean }>("SELECT pg_has_role($1, 'SET') AS member", [roles[0]]);
    // A superuser is a member of every role; anybody else must be one of the owner before giving it a database.
    if (rows[0]?.member !== true) await client.query(`GRANT ${roles[0]} TO CURRENT_USER`);
    // The relay polls with small statements all day: compiling them costs more than it gains.
    await client.query(`ALTER ROLE ${roles[2]} SET jit = off`);
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${name} OWNER ${roles[0]}`);
    await client.query(`REVOKE ALL ON DATABASE ${name} FROM PUBLIC`);
    await client.query(`GRANT CONNECT ON DATABASE ${name} TO ${roles.join(', ')}`);
  });
  const as = (role: string): string => urlOf(adminUrl, name, { name: role, password });
  return { name, ownerUrl: as(roles[0]), appUrl: as(roles[1]), relayUrl: as(roles[2]), adminUrl: urlOf(adminUrl, name) };
};

/** Ends all sessions of a database that `createDatabase` has made, and removes it and its roles. */
export const dropDatabase = (adminUrl: string, name: string): Promise<void> =>
  withClient(adminUrl, async (client) => {
    await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    for (const role of rolesOf(name)) await client.query(`DROP ROLE IF EXISTS ${role}`);
  });

/** A database of its own for one spec, on the server of TEST_DATABASE_URL (the jest setup sets it). Drop it in afterAll. */
export const createTestDatabase = async (options: { service?: string } = {}): Promise<TestDatabase> => {
  const admin = process.env['TEST_DATABASE_URL'];
  if (admin === undefined) throw new Error('TEST_DATABASE_URL is not set: run this spec as TEST_TIER=int');
  const name = `${(options.service ?? 'test').replaceAll('-', '_')}_${randomBytes(5).toString('hex')}`;
  const database = await createDatabase(admin, { name, password: randomBytes(12).toString('base64url') });
  return {
    ...database,
    drop: () => dropDatabase(admin, name),
  };
};
