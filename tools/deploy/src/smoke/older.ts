import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Settings that the release before this one took from the environment alone. */
const inlined = ['KEYRING_MASTER_KEY', 'SESSION_SECRET', 'OIDC_CLIENT_SECRET'] as const;

/** Addresses of databases whose credentials are files now and stood in the address then. */
const databases = ['DATABASE', 'RELAY_DATABASE', 'KEYRING_DATABASE', 'DATABASE_MIGRATOR'] as const;

/**
 * The rendered environment for a process that knows neither secrets as files nor folders with credentials: their contents, where it
 * looks for them. The release before the chart is one, and the programs of this machine that stand in for a service in a check are
 * started the same way, where no file of a pod is.
 */
export const olderEnvironment = (
  env: Readonly<Record<string, string>>,
  fileOf: (path: string) => string,
): Record<string, string> => {
  const older: Record<string, string> = { ...env };
  const content = (path: string): string => readFileSync(fileOf(path), 'utf8').trimEnd();
  for (const name of inlined) {
    const path = older[`${name}_FILE`];
    if (path === undefined) continue;
    older[name] = content(path);
    delete older[`${name}_FILE`];
  }
  for (const name of databases) {
    const [folder, url] = [older[`${name}_CREDENTIALS_DIR`], older[`${name}_URL`]];
    if (folder === undefined || url === undefined) continue;
    const whole = new URL(url);
    whole.username = encodeURIComponent(content(join(folder, 'username')));
    whole.password = encodeURIComponent(content(join(folder, 'password')));
    older[`${name}_URL`] = whole.href;
    delete older[`${name}_CREDENTIALS_DIR`];
  }
  return older;
};

/** The same for this machine: files that stay files are those of the pod's volumes. */
export const hostEnvironment = (
  env: Readonly<Record<string, string>>,
  fileOf: (path: string) => string,
): Record<string, string> =>
  Object.fromEntries(
    Object.entries(olderEnvironment(env, fileOf)).map(([name, value]) => [name, /_FILE$/.test(name) ? fileOf(value) : value]),
  );
