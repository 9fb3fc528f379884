import { connect } from 'node:net';
import { z } from 'zod';
import { StartProblem, unreachable } from './problem.js';

export type GivenProvider = { issuer: string; clientId: string; clientSecret: string | null };

/** What the environment names already is used, and nothing of that kind is started. */
export type Externals = {
  brokers: string[] | null;
  /** A role that may create databases and roles. */
  databaseUrl: string | null;
  oidc: GivenProvider | null;
};

export const readExternals = (env: NodeJS.ProcessEnv): Externals => {
  const { KAFKA_BROKERS: brokers, DATABASE_URL: databaseUrl, OIDC_ISSUER: issuer, OIDC_CLIENT_ID: clientId } = env;
  if (issuer && !URL.canParse(issuer)) throw new StartProblem('OIDC_ISSUER is no URL', 78);
  if (issuer && !clientId) throw new StartProblem('OIDC_ISSUER is set: OIDC_CLIENT_ID must be set too', 78);
  if (databaseUrl && !URL.canParse(databaseUrl))
    throw new StartProblem('DATABASE_URL is no URL (postgres://user:password@host:port/postgres)', 78);
  return {
    brokers: brokers ? brokers.split(',').map((one) => one.trim()) : null,
    databaseUrl: databaseUrl || null,
    // Without a secret the client is public, and PKCE alone protects the code.
    oidc: issuer && clientId ? { issuer, clientId, clientSecret: env['OIDC_CLIENT_SECRET'] || null } : null,
  };
};

/** Asks before kafkajs does, which tries for most of a minute. One broker that accepts a connection is enough. */
export const assertBrokersAnswer = (brokers: readonly string[]): Promise<void> =>
  Promise.any(
    brokers.map(
      (broker) =>
        new Promise<void>((resolve, reject) => {
          const [, host, port] = /^\[?(.+?)\]?:(\d+)$/.exec(broker) ?? [];
          if (host === undefined || Number(port) > 65_535) return reject(new Error(`${broker} is not host:port`));
          const socket = connect({ host, port: Number(port), timeout: 5_000 });
          socket.once('timeout', () => socket.destroy(new Error('no answer within 5 s')));
          socket.once('error', reject);
          socket.once('connect', () => {
            socket.destroy();
            resolve();
          });
        }),
    ),
  ).catch((error: AggregateError) => unreachable('KAFKA_BROKERS', brokers.join(','))(error.errors[0]));

const Health = z.object({ provider: z.literal('centralita-identity'), users: z.array(z.string()) });

/**
 * Whether the launcher can sign the seeded users in: it knows the sign-in page of the development provider and of no other, and that
 * provider must have been given these users.
 */
export const knowsUsers = async (issuer: string, subjects: readonly string[]): Promise<boolean> => {
  const at = (path: string): string => `${issuer.replace(/\/$/, '')}${path}`;
  const ask = (path: string): Promise<Response> => fetch(at(path), { signal: AbortSignal.timeout(10_000) });
  const discovery = await ask('/.well-known/openid-configuration').catch(unreachable('OIDC_ISSUER', issuer));
  await discovery.body?.cancel();
  if (!discovery.ok)
    throw new StartProblem(
      `OIDC_ISSUER: ${at('/.well-known/openid-configuration')} answers ${discovery.status}: is it the issuer?`,
    );
  const answer: unknown = await ask('/health')
    .then((response) => response.json())
    .catch(() => null);
  const health = Health.safeParse(answer);
  return health.success && subjects.every((subject) => health.data.users.includes(subject));
};
