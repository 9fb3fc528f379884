import { afterEach, describe, expect, it } from '@jest/globals';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { freePort } from '@centralita/tool-kafka';
import { assertBrokersAnswer, knowsUsers, readExternals } from './externals.js';
import { StartProblem } from './problem.js';

describe('what the environment gives', () => {
  it('is nothing, when nothing or an empty text is set', () => {
    expect(readExternals({ KAFKA_BROKERS: '', DATABASE_URL: '', OIDC_ISSUER: '' })).toEqual({
      brokers: null,
      databaseUrl: null,
      oidc: null,
    });
  });

  it('is read, a client without a secret too', () => {
    expect(
      readExternals({
        KAFKA_BROKERS: 'one:9092, two:9092',
        DATABASE_URL: 'postgres://a:b@c/d',
        OIDC_ISSUER: 'https://idp.example',
        OIDC_CLIENT_ID: 'centralita',
      }),
    ).toEqual({
      brokers: ['one:9092', 'two:9092'],
      databaseUrl: 'postgres://a:b@c/d',
      oidc: { issuer: 'https://idp.example', clientId: 'centralita', clientSecret: null },
    });
  });

  it.each([
    [{ DATABASE_URL: 'localhost' }, /^DATABASE_URL is no URL/],
    [{ OIDC_ISSUER: 'https://idp.example' }, /OIDC_CLIENT_ID must be set too$/],
    [{ OIDC_ISSUER: 'idp', OIDC_CLIENT_ID: 'x' }, /^OIDC_ISSUER is no URL/],
  ])('%j is refused in one sentence', (env, message) => {
    expect(() => readExternals(env)).toThrow(StartProblem);
    expect(() => readExternals(env)).toThrow(message);
  });

  it('names brokers that do not answer', async () => {
    const port = await freePort();
    await expect(assertBrokersAnswer([`127.0.0.1:${port}`])).rejects.toThrow(
      new RegExp(`^KAFKA_BROKERS: nothing usable answers at 127.0.0.1:${port} \\(.*ECONNREFUSED`),
    );
    await expect(assertBrokersAnswer(['localhost'])).rejects.toThrow(/localhost is not host:port/);
  });
});

describe('a given identity provider', () => {
  let server: Server | null = null;
  afterEach(() => new Promise<void>((resolve) => (server === null ? resolve() : server.close(() => resolve()))));

  const provider = async (health: unknown): Promise<string> => {
    server = createServer((request, response) => {
      if (request.url === '/.well-known/openid-configuration') return void response.end('{}');
      if (request.url === '/health' && health !== null) return void response.end(JSON.stringify(health));
      response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };

  it.each([
    ['the development provider with them', { provider: 'centralita-identity', users: ['a', 'b', 'c'] }, true],
    ['the development provider with others', { provider: 'centralita-identity', users: ['a'] }, false],
    ['any other, with a health page', { status: 'ok' }, false],
    ['any other, without one', null, false],
  ])('knows the seeded users or not: %s', async (_, health, expected) => {
    expect(await knowsUsers(await provider(health), ['a', 'b'])).toBe(expected);
  });

  it('that is none, or is not there, is said', async () => {
    const issuer = await provider(null);
    await expect(knowsUsers(`${issuer}/realm/`, [])).rejects.toThrow(
      `OIDC_ISSUER: ${issuer}/realm/.well-known/openid-configuration answers 404`,
    );
    await expect(knowsUsers(`http://127.0.0.1:${await freePort()}`, [])).rejects.toThrow(/^OIDC_ISSUER: nothing usable answers/);
  });
});
