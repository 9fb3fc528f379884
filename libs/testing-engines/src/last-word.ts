import { createServer, connect, type AddressInfo, type Socket } from 'node:net';

/** What a backend says when its server ends, at any moment and also when nobody has asked anything: severity, code, message. */
const TERMINATED = ['SFATAL', 'VFATAL', 'C57P01', 'Mterminating connection due to administrator command', ''];

/** ReadyForQuery outside of a transaction. */
const READY = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);

const errorResponse = (): Buffer => {
  const fields = Buffer.from(`${TERMINATED.join('\0')}\0`);
  const head = Buffer.alloc(5);
  head.write('E');
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
};

/**
 * A way to a database on which the server ends with the last byte of an answer: the `nth` time that a connection is ready again, the same
 * packet also says that the server terminates it. Nobody waits for anything at that moment.
 */
export const lastWordAfter = async (url: string, nth: number): Promise<{ readonly url: string; close(): Promise<void> }> => {
  const target = new URL(url);
  const clients = new Set<Socket>();
  const server = createServer((client) => {
    clients.add(client);
    const upstream = connect(Number(target.port), target.hostname);
    let ready = 0;
    upstream.on('data', (chunk) => {
      if (chunk.subarray(-READY.length).equals(READY) && (ready += 1) === nth)
        client.end(Buffer.concat([chunk, errorResponse()]));
      else client.write(chunk);
    });
    client.on('data', (chunk) => upstream.write(chunk));
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const)
      one.on('error', () => other.destroy()).on('close', () => other.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const through = new URL(url);
  through.port = String((server.address() as AddressInfo).port);
  const close = (): Promise<void> => {
    for (const client of clients) client.destroy();
    return new Promise((resolve) => server.close(() => resolve()));
  };
  return { url: through.href, close };
};
