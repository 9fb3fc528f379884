import { createServer } from 'node:net';
import { randomInt } from 'node:crypto';

/** Whether somebody could listen on this loopback port now. */
export const portIsFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });

// Below Linux' ephemeral range (32768 and up): an outgoing connection of anybody could take an ephemeral port between our look
// and the server's own bind.
const lowest = 12_000;
const highest = 32_000;

/** `count` different loopback ports that were free a moment ago. The caller may still lose a race for one; then it fails by name. */
export const freePorts = async (count: number): Promise<number[]> => {
  const found = new Set<number>();
  for (let tries = 0; found.size < count; tries += 1) {
    if (tries > 1_000) throw new Error(`no free loopback port found between ${lowest} and ${highest}`);
    const port = randomInt(lowest, highest);
    if (!found.has(port) && (await portIsFree(port))) found.add(port);
  }
  return [...found];
};

export const freePort = async (): Promise<number> => (await freePorts(1))[0] as number;
