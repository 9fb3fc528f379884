import { StartProblem } from './problem.js';

/** What the environment names already is used, and nothing of that kind is started. */
export type Externals = {
  brokers: string[] | null;
  /** A role that may create databases and roles. */
  databaseUrl: string | null;
  oidc: { issuer: string; clientId: string; clientSecret: string } | null;
};

export const readExternals = (env: NodeJS.ProcessEnv): Externals => {
  const { KAFKA_BROKERS: brokers, DATABASE_URL: databaseUrl, OIDC_ISSUER: issuer } = env;
  if (issuer && !(env['OIDC_CLIENT_ID'] && env['OIDC_CLIENT_SECRET'])) {
    throw new StartProblem('OIDC_ISSUER is set: OIDC_CLIENT_ID and OIDC_CLIENT_SECRET must be set too', 78);
  }
  if (databaseUrl && !URL.canParse(databaseUrl))
    throw new StartProblem('DATABASE_URL is no URL (postgres://user:password@host:port/postgres)', 78);
  return {
    brokers: brokers ? brokers.split(',').map((one) => one.trim()) : null,
    databaseUrl: databaseUrl || null,
    oidc: issuer
      ? { issuer, clientId: env['OIDC_CLIENT_ID'] as string, clientSecret: env['OIDC_CLIENT_SECRET'] as string }
      : null,
  };
};
