import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

type Item = { readonly plaintext?: string; readonly ciphertext?: string };

export type Transit = {
  readonly address: string;
  readonly state: {
    token: string;
    namespace: string | undefined;
    sealed: boolean;
    hangs: boolean;
    hasKey: boolean;
    minDecryption: number;
    readonly requests: string[];
  };
  rotate(): void;
  stop(): Promise<void>;
};

/**
 * Speaks the requests of Vault's transit engine that are documented for encrypt, decrypt and rewrap (single and batch), with real
 * ciphertexts and versions. What a spec wants to go wrong goes wrong.
 */
export const startTransit = async (tls?: { readonly pfx: Buffer; readonly passphrase: string }): Promise<Transit> => {
  const keys: Buffer[] = [randomBytes(32)];
  const state: Transit['state'] = {
    token: 'token-one',
    namespace: undefined,
    sealed: false,
    hangs: false,
    hasKey: true,
    minDecryption: 1,
    requests: [],
  };
  const encrypt = (plaintext: string): string => {
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', keys.at(-1) as Buffer, nonce);
    const bytes = Buffer.concat([nonce, cipher.update(Buffer.from(plaintext, 'base64')), cipher.final(), cipher.getAuthTag()]);
    return `vault:v${keys.length}:${bytes.toString('base64')}`;
  };
  const decrypt = (ciphertext: string): string => {
    const [, version, text] = /^vault:v(\d+):(.*)$/.exec(ciphertext) ?? [];
    if (version === undefined || text === undefined) throw new Error('invalid ciphertext: no prefix');
    if (Number(version) < state.minDecryption)
      throw new Error('ciphertext or signature version is disallowed by policy (too old)');
    const bytes = Buffer.from(text, 'base64');
    const key = keys[Number(version) - 1];
    if (!key) throw new Error('invalid ciphertext: version is too new');
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12));
    decipher.setAuthTag(bytes.subarray(-16));
    try {
      return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString('base64');
    } catch {
      throw new Error('cipher: message authentication failed');
    }
  };
  const work: Record<string, (item: Item) => object> = {
    encrypt: ({ plaintext = '' }) => ({ ciphertext: encrypt(plaintext), key_version: keys.length }),
    decrypt: ({ ciphertext = '' }) => ({ plaintext: decrypt(ciphertext) }),
    rewrap: ({ ciphertext = '' }) => ({ ciphertext: encrypt(decrypt(ciphertext)), key_version: keys.length }),
  };
  const answer = (request: IncomingMessage, body: string): [number, object] => {
    const [, operation = '', key] = /^\/v1\/transit\/(encrypt|decrypt|rewrap)\/([\w-]+)$/.exec(request.url ?? '') ?? [];
    state.requests.push(operation);
    if (state.sealed) return [503, { errors: ['Vault is sealed'] }];
    if (request.headers['x-vault-token'] !== state.token || request.headers['x-vault-namespace'] !== state.namespace)
      return [403, { errors: ['permission denied'] }];
    const run = work[operation];
    if (!run) return [404, { errors: ['no handler for route "x". route entry not found.'] }];
    if (!state.hasKey || key !== 'centralita') return [400, { errors: ['encryption key not found'] }];
    const { batch_input: batch } = JSON.parse(body) as { batch_input: Item[] };
    const results = batch.map((item) => {
      try {
        return run(item);
      } catch (error) {
        return { error: (error as Error).message };
      }
    });
    // As the engine does when every item of a batch fails.
    return [results.every((result) => 'error' in result) ? 400 : 200, { data: { batch_results: results } }];
  };
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      if (state.hangs) return;
      const [status, json] = answer(request, body);
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
    });
  };
  const server = tls ? createTlsServer(tls, listener) : createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    address,
    state,
    rotate: () => void keys.push(randomBytes(32)),
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
