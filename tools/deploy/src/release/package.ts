import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir, homedir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { helm } from '../helm/run.js';
import { charts } from '../repository.js';

export type Published = { readonly chart: string; readonly version: string; readonly reference: string; readonly digest: string };

export type PublishOptions = {
  /** Folder's name below deploy/charts. */
  readonly chart: string;
  /** Address of the folder of charts in a registry, `oci://…`. */
  readonly to: string;
  /** Without TLS: for a registry on this machine. */
  readonly plainHttp?: boolean;
};

const versionOf = (chart: string): string =>
  (parse(readFileSync(join(charts, chart, 'Chart.yaml'), 'utf8')) as { version: string }).version;

/** The digest that helm prints after a push. Throws when there is none. */
export const pushedDigest = (output: string): string => {
  const digest = /^Digest: (sha256:[0-9a-f]{64})$/m.exec(output)?.[1];
  if (!digest) throw new Error(`helm push printed no digest: ${output.trim()}`);
  return digest;
};

/** Lints, packages and pushes a chart. Signing and provenance are about the digest that it gives. */
export const publish = ({ chart, to, plainHttp = false }: PublishOptions): Published => {
  const folder = mkdtempSync(join(tmpdir(), 'package-'));
  try {
    helm(['lint', '--strict', join(charts, chart)]);
    helm(['package', join(charts, chart), '--destination', folder]);
    const version = versionOf(chart);
    // A login was made for docker; helm's own folders here are empty.
    const login = ['--registry-config', join(process.env.DOCKER_CONFIG ?? join(homedir(), '.docker'), 'config.json')];
    const output = helm(['push', join(folder, `${chart}-${version}.tgz`), to, ...login, ...(plainHttp ? ['--plain-http'] : [])], {
      both: true,
    });
    return { chart, version, reference: `${to}/${chart}:${version}`, digest: pushedDigest(output) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
