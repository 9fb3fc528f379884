import { describe, expect, it } from '@jest/globals';
import type { Logger } from 'kafkajs';
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
    if (!('authenticationProvider' in sasl)) throw new Error('another mechanism');
    const asked: string[] = [];
    const signIn = (answer: string) =>
      sasl
        .authenticationProvider({
          host: 'one',
          port: 9092,
          logger: {} as Logger,
          saslAuthenticate: async ({ request, response }) => {
            asked.push((await request.encode()).subarray(4).toString());
            return response?.parse(await response.decode(Buffer.from(answer)));
          },
        })
        .authenticate();
    await signIn('');
    token = 'two';
    await signIn('');
    expect(asked).toEqual(['one', 'two'].map((each) => `n,,\u0001auth=Bearer ${each}\u0001\u0001`));
    await expect(signIn('{"status":"invalid_token"}')).rejects.toThrow('the token is refused');
  });
});
