import { describe, expect, it } from '@jest/globals';
import { mkdtemp, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { environmentOf, type Identity } from './cluster/environment.js';
import { Forwarder } from './cluster/service.js';
import { Store } from './cluster/store.js';
import { bytesOf, makeVolumes } from './cluster/volumes.js';
import { hostEnvironment, olderEnvironment } from './older.js';

const identity: Identity = {
  name: 'billing-1',
  namespace: 'switchboard',
  ip: '192.0.2.7',
  node: 'node-1',
  uid: 'u',
  serviceAccount: 'default',
  labels: { 'app.kubernetes.io/component': 'billing' },
};
const store = new Store(
  [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'config' }, data: { 'a.json': '{}' } },
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'made' }, data: { key: Buffer.from('s').toString('base64') } },
  ],
  (name) => (name === 'given' ? { username: 'billing_app', password: 'p@ss' } : null),
);

const inFolder = async (work: (folder: string) => Promise<void>): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), 'smoke-'));
  await work(folder).finally(() => rm(folder, { recursive: true }));
};

describe('environment of a container', () => {
  it('resolves fields, keys and names that stand before', () => {
    const env = [
      { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'PART', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app.kubernetes.io/component']" } } },
      { name: 'SECRET', valueFrom: { secretKeyRef: { name: 'made', key: 'key' } } },
      { name: 'BOTH', value: '$(POD)/$(PART)/$(UNKNOWN)' },
    ];
    expect(environmentOf(store, identity, { name: 'one', env })).toEqual({
      POD: 'billing-1',
      PART: 'billing',
      SECRET: 's',
      BOTH: 'billing-1/billing/$(UNKNOWN)',
    });
  });

  it('refuses a secret that nobody makes', () => {
    const env = [{ name: 'X', valueFrom: { secretKeyRef: { name: 'other', key: 'key' } } }];
    expect(() => environmentOf(store, identity, { name: 'one', env })).toThrow(
      'a pod wants the secret other, which the chart does not render and the test does not make',
    );
  });
});

describe('volumes of a pod', () => {
  it('become files with the rendered modes, and memory of the rendered size', () =>
    inFolder(async (folder) => {
      const made = await makeVolumes(
        {
          containers: [{ name: 'one', volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }] }],
          volumes: [
            { name: 'tmp', emptyDir: { sizeLimit: '64Mi' } },
            { name: 'credentials', secret: { secretName: 'given', defaultMode: 0o440, items: [{ key: 'password', path: 'p' }] } },
          ],
          ...(process.getuid?.() === 0 ? {} : { securityContext: { fsGroup: process.getgid?.() ?? 0 } }),
        },
        store,
        { folder, claim: (name) => join(folder, 'claims', name) },
      ).catch((error: NodeJS.ErrnoException) => {
        // Only root may give a file to root.
        if (error.code === 'EPERM') return null;
        throw error;
      });
      if (made === null) return;
      expect(made.get('tmp')).toEqual({ memory: 64 * 1024 * 1024 });
      expect((await stat(join(folder, 'credentials', 'p'))).mode & 0o777).toBe(0o440);
    }));

  it.each([
    ['384Mi', 402_653_184],
    ['1Gi', 1_073_741_824],
    ['5k', Number.NaN],
    ['5', 5],
  ])('%s is a size', (text, bytes) => {
    if (Number.isNaN(bytes)) expect(() => bytesOf(text)).toThrow('is no size');
    else expect(bytesOf(text)).toBe(bytes);
  });
});

describe('environment for the release before', () => {
  it('has the contents of files where that release looks for them', () =>
    inFolder(async (folder) => {
      await mkdir(join(folder, 'db'));
      await writeFile(join(folder, 'db/username'), 'billing_app\n');
      await writeFile(join(folder, 'db/password'), 'p@ss/word');
      await writeFile(join(folder, 'master'), 'key\n');
      const env = {
        DATABASE_URL: 'postgres://postgres:5432/billing?sslmode=disable',
        DATABASE_CREDENTIALS_DIR: '/etc/db',
        KEYRING_MASTER_KEY_FILE: '/etc/master',
        APPS_FILE: '/etc/apps.json',
      };
      const fileOf = (path: string): string => path.replace('/etc', folder);
      expect(olderEnvironment(env, fileOf)).toEqual({
        DATABASE_URL: 'postgres://billing_app:p%40ss%2Fword@postgres:5432/billing?sslmode=disable',
        KEYRING_MASTER_KEY: 'key',
        APPS_FILE: '/etc/apps.json',
      });
      expect(hostEnvironment(env, fileOf)['APPS_FILE']).toBe(join(folder, 'apps.json'));
    }));
});

describe('Service', () => {
  it('passes connections to the endpoints of the moment, in turn, and closes them when there is none', async () => {
    const listen = (text: string): Promise<{ port: number; close: () => void }> =>
      new Promise((resolve) => {
        const server = createServer((socket) => socket.end(text)).listen(0, '127.0.0.1', () => {
          const address = server.address();
          resolve({ port: typeof address === 'object' && address ? address.port : 0, close: () => void server.close() });
        });
      });
    const [one, two] = await Promise.all([listen('one'), listen('two')]);
    let endpoints = [one, two].map(({ port }) => ({ host: '127.0.0.1', port }));
    const forwarder = new Forwarder(() => endpoints);
    const free = await listen('free');
    free.close();
    await forwarder.listen('127.0.0.1', free.port);
    const { connect } = await import('node:net');
    const ask = (): Promise<string> =>
      new Promise((resolve) => {
        let text = '';
        const socket = connect(free.port, '127.0.0.1');
        socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
        socket.on('error', () => undefined);
        socket.on('close', () => resolve(text));
      });
    expect([await ask(), await ask(), await ask()]).toEqual(['one', 'two', 'one']);
    endpoints = [];
    expect(await ask()).toBe('');
    forwarder.close();
    one.close();
    two.close();
  });
});
