import { describe, expect, it } from '@jest/globals';
import { connectionOptions } from './wire.js';

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const client = { brokers: ['one.example:9092', 'two.example:9092'], clientId: 'c', logger: silent };

describe('the connections of @platformatic/kafka', () => {
  it('are in clear and nameless unless told otherwise', () => {
    const options = connectionOptions(client, 1000);
    expect(options).toMatchObject({ requestTimeout: 1000 });
    expect(options).not.toHaveProperty('tls');
    expect(options).not.toHaveProperty('sasl');
  });

  it('take certificates as Node does, and ask for brokers by name where they have one', () => {
    const tls = { ca: ['pem'], cert: 'pem', key: 'pem' };
    expect(connectionOptions({ ...client, tls }, 1000)).toMatchObject({ tls, tlsServerName: true });
    expect(connectionOptions({ ...client, tls: true }, 1000)).toMatchObject({ tls: {} });
    for (const broker of ['127.0.0.1:9092', '[::1]:9092'])
      expect(connectionOptions({ ...client, brokers: [broker], tls: true }, 1000)).toMatchObject({ tlsServerName: false });
  });

  it.each([
    ['plain', 'PLAIN'],
    ['scram-sha-256', 'SCRAM-SHA-256'],
    ['scram-sha-512', 'SCRAM-SHA-512'],
  ] as const)('sign in by %s', (mechanism, theirs) => {
    const sasl = { mechanism, username: 'billing', password: 'secret' };
    const options = connectionOptions({ ...client, sasl }, 1000);
    expect(options).toMatchObject({ sasl: { username: 'billing', mechanism: theirs } });
    expect((options.sasl?.password as () => string)()).toBe('secret');
  });

  it('sign in by a token that is read at each connection', () => {
    let token = 'one';
    const { sasl } = connectionOptions({ ...client, sasl: { mechanism: 'oauthbearer', token: () => token } }, 1000);
    expect([sasl?.mechanism, (sasl?.token as () => string)()]).toEqual(['OAUTHBEARER', 'one']);
    token = 'two';
    expect((sasl?.token as () => string)()).toBe('two');
  });
});
