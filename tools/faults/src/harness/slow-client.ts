import { connect, type Socket } from 'node:net';

export type SlowKind = 'silent' | 'in its headers' | 'in its body' | 'in a big body' | 'byte by byte' | 'too big';

/** What became of one connection: the status that it was answered with (0: closed without a word), and after how many milliseconds. */
export type Outcome = { readonly kind: SlowKind; readonly status: number; readonly afterMs: number };

const MIB = 1024 * 1024;
const filling = Buffer.alloc(3 * MIB, 0x20);
const BYTE_EVERY_MS = 1000;

/** A client that stops somewhere on its way, or hardly moves, and waits until the receiver closes the connection. */
export class SlowClient {
  outcome: Outcome | null = null;
  readonly #socket: Socket;
  readonly #started = performance.now();
  #answer = '';
  #trickle: NodeJS.Timeout | undefined;

  /** `sends`: how many bytes of its body it sends before it stops. */
  constructor(port: number, app: string, kind: SlowKind, sends: number) {
    const start = `POST /webhooks/${app} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n`;
    const head = (length: number): string =>
      `${start}x-hub-signature-256: sha256=${'0'.repeat(64)}\r\ncontent-length: ${length}\r\n\r\n`;
    const socket = connect(port, '127.0.0.1');
    this.#socket = socket;
    socket.on('connect', () => {
      if (kind === 'in its headers') socket.write(start);
      if (kind === 'in its body') socket.write(head(sends * 2) + ' '.repeat(sends));
      if (kind === 'in a big body') {
        socket.write(head(3 * MIB));
        socket.write(filling.subarray(0, sends));
      }
      if (kind === 'too big') socket.write(head(3 * MIB + 1));
      if (kind !== 'byte by byte') return;
      socket.write(head(sends + 1000));
      this.#trickle = setInterval(() => socket.write(' '), BYTE_EVERY_MS);
    });
    socket.on('data', (data) => (this.#answer += data.toString('latin1')));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearInterval(this.#trickle);
      const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(this.#answer)?.[1] ?? 0);
      this.outcome = { kind, status, afterMs: performance.now() - this.#started };
    });
  }

  close(): void {
    clearInterval(this.#trickle);
    this.#socket.destroy();
  }
}
