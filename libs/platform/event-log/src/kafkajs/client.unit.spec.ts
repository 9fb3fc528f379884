import { describe, expect, it } from '@jest/globals';
import { saslOf } from './client.js';

describe('how kafkajs signs in', () => {
  it('asks for the password at each connection', () => {
    let password = 'one';
    const sasl = saslOf({ mechanism: 'scram-sha-512', username: 'billing', password: () => password });
    expect(sasl).toMatchObject({ mechanism: 'scram-sha-512', username: 'billing', password: 'one' });
    password = 'two';
    expect(sasl).toMatchObject({ password: 'two' });
  });

  it('asks for the token at each connection', async () => {
    let token = 'one';
    const sasl = saslOf({ mechanism: 'oauthbearer', token: () => token });
    if (sasl.mechanism !== 'oauthbearer') throw new Error('another mechanism');
    expect(await sasl.oauthBearerProvider()).toEqual({ value: 'one' });
    token = 'two';
    expect(await sasl.oauthBearerProvider()).toEqual({ value: 'two' });
  });
});
