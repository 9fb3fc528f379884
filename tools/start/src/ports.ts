import { freePort, portIsFree } from '@centralita/tool-kafka';
import { StartProblem } from './problem.js';

// Addresses that people open stay the same from start to start.
const preferred = { gateway: 4400, simulator: 4401, identity: 4402, webhook: 4403 } as const;
const others = ['media', 'sender', 'conversation', 'routing', 'billing', 'audit-log'] as const;

export type HttpName = keyof typeof preferred | (typeof others)[number];
export type Ports = { http: Record<HttpName, number>; metrics: Record<string, number>; notices: string[] };

/** GATEWAY_PORT, for an identity provider that knows one address of the gateway and no other; null for the preferred or any. */
const givenGatewayPort = async (): Promise<number | null> => {
  const text = process.env['GATEWAY_PORT'];
  if (!text) return null;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new StartProblem('GATEWAY_PORT is no port', 78);
  if (!(await portIsFree(port))) throw new StartProblem(`GATEWAY_PORT: port ${port} is taken`);
  return port;
};

/**
 * Chooses every port before anything starts, since the processes name each other's. A preferred one that is taken is said. With `any`,
 * for platforms that nobody opens, no port is preferred: several start beside each other.
 */
export const choosePorts = async (options: { any?: boolean } = {}): Promise<Ports> => {
  const taken = new Set<number>();
  const free = async (): Promise<number> => {
    for (;;) {
      const port = await freePort();
      if (!taken.has(port)) {
        taken.add(port);
        return port;
      }
    }
  };
  const notices: string[] = [];
  const http: Partial<Record<HttpName, number>> = {};
  const wanted = { ...preferred, gateway: (await givenGatewayPort()) ?? preferred.gateway };
  for (const [name, port] of Object.entries(wanted)) {
    const usable = !options.any && (await portIsFree(port));
    http[name as HttpName] = usable ? port : await free();
    if (!usable && !options.any) notices.push(`port ${port} is taken: ${name} uses ${http[name as HttpName]}`);
  }
  const metrics: Record<string, number> = {};
  for (const name of others) http[name] = await free();
  for (const name of ['gateway', 'webhook', ...others, 'lag-exporter']) metrics[name] = await free();
  return { http: http as Record<HttpName, number>, metrics, notices };
};
