import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PlatformError } from '@centralita/contracts';
import pg from 'pg';

/** Parameter of a database's address, beside `sslrootcert` and its like: where name and password stand. */
const PARAMETER = 'credentials_dir';

/** The address with a folder that holds the files `username` and `password`, as a mounted `kubernetes.io/basic-auth` secret does. */
export const withCredentialsDir = (url: string, folder: string): string => {
  const address = new URL(url);
  address.searchParams.set(PARAMETER, folder);
  return address.href;
};

/** A new line at the end is the editor's, not the secret's. Throws DATABASE_UNAVAILABLE: while a secret is replaced, its file may be away. */
const contentsOf = (file: string): string => {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch {
    throw new PlatformError('DATABASE_UNAVAILABLE', `${file} cannot be read`, { file });
  }
};

/** The address as pg takes it, with what its folder holds at this moment. */
const signedIn = (url: string): string => {
  if (!url.includes(`${PARAMETER}=`)) return url;
  const address = new URL(url);
  const folder = address.searchParams.get(PARAMETER) ?? '';
  address.searchParams.delete(PARAMETER);
  address.searchParams.set('user', contentsOf(join(folder, 'username')));
  address.searchParams.set('password', contentsOf(join(folder, 'password')));
  return address.href;
};

/**
 * A client of pg that reads name and password anew whenever it is made, which a pool does for each connection: after a rotation of the
 * secret the next connection signs in with the new one, and no process is started again.
 */
export class Client extends pg.Client {
  constructor(config: pg.ClientConfig = {}) {
    const { connectionString } = config;
    super(connectionString === undefined ? config : { ...config, connectionString: signedIn(connectionString) });
  }
}
