import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '@centralita/tool-start';
import { command, tryCommand, type Output } from './command.js';

/** Everything that the test leaves on disk: images, which the next run uses again, and what the last run wrote. */
export const deployState = join(projectRoot, '.centralita', 'deploy');

/** Of podman's network, and of the addresses on which the test stands in for Services and for what is outside of the cluster. */
export const podNetwork = { name: 'pods', subnet: '10.209.0.0/16', gateway: '10.209.0.1' } as const;
export const serviceNetwork = '10.208.0.0/16';

/** Podman, buildah and skopeo with storage and settings of their own: nothing of the user's is seen or touched. */
export class Containers {
  private constructor(private readonly env: NodeJS.ProcessEnv) {}

  static async open(): Promise<Containers> {
    const settings = join(deployState, 'containers.conf');
    const storage = join(deployState, 'storage.conf');
    for (const folder of ['cni', 'tmp']) await mkdir(join(deployState, folder), { recursive: true });
    // Limits that every hard limit allows, runc because crun refuses hybrid cgroups, no systemd: containers without an engine.
    await writeFile(
      settings,
      `[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
http_proxy = false
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "none"
tmp_dir = "${join(deployState, 'tmp')}"
[network]
network_config_dir = "${join(deployState, 'cni')}"
`,
    );
    await writeFile(
      storage,
      `[storage]
driver = "overlay"
graphroot = "${join(deployState, 'storage')}"
runroot = "${join(deployState, 'run')}"
`,
    );
    return new Containers({
      ...process.env,
      CONTAINERS_CONF: settings,
      CONTAINERS_STORAGE_CONF: storage,
      BUILDAH_ISOLATION: 'chroot',
    });
  }

  /** For a program that calls buildah itself. */
  get environment(): NodeJS.ProcessEnv {
    return this.env;
  }

  podman(...args: string[]): Promise<string> {
    return command('podman', args, { env: this.env });
  }

  tryPodman(...args: string[]): Promise<Output> {
    return tryCommand('podman', args, { env: this.env });
  }

  buildah(...args: string[]): Promise<string> {
    return command('buildah', args, { env: this.env });
  }

  async hasImage(name: string): Promise<boolean> {
    return (await this.tryPodman('image', 'exists', name)).code === 0;
  }

  /** Containers and networks of a run that did not come to its end. */
  async forget(): Promise<void> {
    await this.removeAll();
    await rm(join(deployState, 'cni'), { recursive: true, force: true });
    await mkdir(join(deployState, 'cni'), { recursive: true });
  }

  /** Removes every container of this storage, whatever it does. */
  async removeAll(): Promise<void> {
    await this.tryPodman('pod', 'rm', '--all', '--force', '--time', '0');
    await this.tryPodman('rm', '--all', '--force', '--time', '0');
  }
}
