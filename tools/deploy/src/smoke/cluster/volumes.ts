import { chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { IPodSpec } from 'kubernetes-models/v1/PodSpec';
import type { Data, Store } from './store.js';

/** What a mount of a volume becomes: a folder of this machine, or memory of a size. */
export type Mounted = { readonly folder: string } | { readonly memory: number };

export const bytesOf = (quantity: string | number): number => {
  const [, number, unit = ''] = /^([\d.]+)([KMGT]i?)?$/.exec(String(quantity)) ?? [];
  if (number === undefined) throw new Error(`${quantity} is no size`);
  const powers = { K: 1, M: 2, G: 3, T: 4 } as const;
  const power = unit === '' ? 0 : powers[unit[0] as keyof typeof powers];
  return Number(number) * (unit.endsWith('i') ? 1024 : 1000) ** power;
};

type Item = { readonly key: string; readonly path: string; readonly mode?: number };

const write = async (
  folder: string,
  group: number,
  data: Data,
  items: readonly Item[] | undefined,
  mode: number,
): Promise<void> => {
  for (const item of items ?? Object.keys(data).map((key): Item => ({ key, path: key }))) {
    const content = data[item.key];
    if (content === undefined) throw new Error(`a pod wants the key ${item.key}, which its secret or ConfigMap does not have`);
    const file = join(folder, item.path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
    await chmod(file, item.mode ?? mode);
    await chown(file, 0, group);
  }
};

/**
 * Makes a pod's volumes below a folder, with the modes and the group that the kubelet gives them. `claim` is the folder of a persistent
 * volume claim, which outlives pods.
 */
export const makeVolumes = async (
  spec: IPodSpec,
  store: Store,
  options: { readonly folder: string; readonly claim: (name: string) => string },
): Promise<ReadonlyMap<string, Mounted>> => {
  const group = spec.securityContext?.fsGroup ?? 0;
  const mounts = spec.containers.flatMap(({ volumeMounts = [] }) => volumeMounts.map(({ name }) => name));
  const made = new Map<string, Mounted>();
  for (const volume of spec.volumes ?? []) {
    const folder = join(options.folder, volume.name);
    if (volume.emptyDir && mounts.filter((name) => name === volume.name).length < 2) {
      made.set(volume.name, { memory: bytesOf(volume.emptyDir.sizeLimit ?? '64Mi') });
      continue;
    }
    const target = volume.persistentVolumeClaim ? options.claim(volume.persistentVolumeClaim.claimName) : folder;
    await mkdir(target, { recursive: true });
    if (volume.emptyDir) await chmod(target, 0o777);
    else if (volume.persistentVolumeClaim) {
      await chown(target, 0, group);
      await chmod(target, 0o2775);
    } else if (volume.secret)
      await write(
        target,
        group,
        store.secret(volume.secret.secretName ?? ''),
        volume.secret.items,
        volume.secret.defaultMode ?? 0o644,
      );
    else if (volume.configMap)
      await write(
        target,
        group,
        store.configMap(volume.configMap.name ?? ''),
        volume.configMap.items,
        volume.configMap.defaultMode ?? 0o644,
      );
    else throw new Error(`the test does not know this kind of volume: ${JSON.stringify(volume)}`);
    made.set(volume.name, { folder: target });
  }
  return made;
};
