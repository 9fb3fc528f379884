import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTransit, type Transit } from './transit.spec.js';
import { vaultProvider } from './vault.js';

/** The Java that runs Kafka in this tier can make a certificate; Node cannot. */
const certificate = (folder: string, name: string): { pfx: Buffer; passphrase: string; ca: string } => {
  const [passphrase, store] = ['of-the-spec', join(folder, `${name}.p12`)];
  const keytool = (...args: string[]): string =>
    execFileSync('keytool', [...args, '-keystore', store, '-storepass', passphrase, '-alias', name], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  keytool('-genkeypair', '-keyalg', 'EC', '-dname', `CN=${name}`, '-ext', 'san=ip:127.0.0.1', '-storetype', 'PKCS12');
  return { pfx: readFileSync(store), passphrase, ca: keytool('-exportcert', '-rfc') };
};

describe('vault behind a certificate', () => {
  const folder = mkdtempSync(join(tmpdir(), 'centralita-vault-'));
  let transit: Transit;
  let ca: string;
  let stranger: string;
  beforeAll(async () => {
    const { ca: own, ...tls } = certificate(folder, 'vault');
    ca = own;
    stranger = certificate(folder, 'stranger').ca;
    transit = await startTransit(tls);
  });
  afterAll(async () => {
    await transit.stop();
    rmSync(folder, { recursive: true });
  });
  const version = async (authority?: string): Promise<string> => {
    const sut = vaultProvider({
      address: transit.address,
      mount: 'transit',
      key: 'centralita',
      token: () => 'token-one',
      ...(authority === undefined ? {} : { ca: authority }),
    });
    try {
      return await sut.version();
    } finally {
      sut.close();
    }
  };

  it('is asked only when the authority that was given has signed it, and gets no token before', async () => {
    expect(await version(ca)).toBe('v1');
    const asked = transit.state.requests.length;
    for (const authority of [undefined, stranger])
      await expect(version(authority)).rejects.toMatchObject({
        code: 'KEY_UNAVAILABLE',
        message: expect.stringMatching(
          /does not answer \((DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_VERIFY_LEAF_SIGNATURE)\)/,
        ),
      });
    expect(transit.state.requests).toHaveLength(asked);
  });
});
