import { createServer, connect, type Server, type Socket } from 'node:net';
import { at, ofKind, type Manifest } from '../../manifests/manifest.js';

export type Endpoint = { readonly host: string; readonly port: number };

/** Takes connections at an address and passes each to one of the endpoints of that moment, in turn. Without one it is closed. */
export class Forwarder {
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  #turn = 0;

  constructor(private readonly endpoints: () => readonly Endpoint[]) {
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#pass(client));
  }

  listen(host: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, resolve);
    });
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
  }

  #pass(client: Socket): void {
    const all = this.endpoints();
    const endpoint = all[this.#turn++ % Math.max(1, all.length)];
    if (!endpoint) {
      client.destroy();
      return;
    }
    const upstream = connect({ ...endpoint, allowHalfOpen: true, noDelay: true });
    client.setNoDelay(true);
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.#open.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        this.#open.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  }
}

export type ServiceSpec = {
  readonly name: string;
  readonly namespace: string;
  readonly selector: Readonly<Record<string, string>>;
  readonly ports: readonly { readonly port: number; readonly targetPort: number | string }[];
};

/** The rendered Services. */
export const servicesOf = (manifests: readonly Manifest[], namespace: string): ServiceSpec[] =>
  ofKind(manifests, 'Service').map((manifest) => ({
    name: manifest.metadata.name,
    namespace: manifest.metadata.namespace ?? namespace,
    selector: (at(manifest, 'spec', 'selector') ?? {}) as Record<string, string>,
    ports: ((at(manifest, 'spec', 'ports') ?? []) as { port: number; targetPort?: number | string }[]).map(
      ({ port, targetPort = port }) => ({ port, targetPort }),
    ),
  }));
