// The baseline of P1: what one would write in an afternoon. Fastify takes the bytes, checks the signature, parses, and writes one record a
// message with kafkajs, as durable as ours: idempotent, acks from all replicas. Requests that come while a send is under way go
// together in the next one. It knows no customers, encrypts nothing, checks no schema.
import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';
import { fastify } from 'fastify';
import { CompressionTypes, Kafka, logLevel, type Message } from 'kafkajs';

type Item = { readonly id: string; readonly from: string; readonly timestamp: string };
type Delivery = {
  readonly entry: readonly {
    readonly id: string;
    readonly changes: readonly { readonly value: { readonly messages: readonly Item[] } }[];
  }[];
};

const { KAFKA_BROKERS = '', TOPIC = '', SECRET = '', HTTP_PORT = '0' } = process.env;
const secret = createSecretKey(SECRET, 'utf8');
const kafka = new Kafka({ clientId: 'bench-bare', brokers: KAFKA_BROKERS.split(','), logLevel: logLevel.ERROR });
const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
await producer.connect();

let waiting: {
  readonly messages: readonly Message[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}[] = [];
let sending = false;
const flush = async (): Promise<void> => {
  sending = true;
  while (waiting.length > 0) {
    const taken = waiting;
    waiting = [];
    const messages = taken.flatMap((one) => [...one.messages]);
    try {
      await producer.sendBatch({ acks: -1, compression: CompressionTypes.None, topicMessages: [{ topic: TOPIC, messages }] });
      for (const { resolve } of taken) resolve();
    } catch (error) {
      for (const { reject } of taken) reject(error);
    }
  }
  sending = false;
};
const send = (messages: readonly Message[]): Promise<void> =>
  new Promise((resolve, reject) => {
    waiting.push({ messages, resolve, reject });
    if (!sending) void flush();
  });

const signed = (body: Buffer, header: unknown): boolean => {
  const expected = Buffer.from(`sha256=${createHmac('sha256', secret).update(body).digest('hex')}`);
  const given = Buffer.from(typeof header === 'string' ? header : '');
  return given.length === expected.length && timingSafeEqual(given, expected);
};

const recordsOf = (delivery: Delivery): Message[] =>
  delivery.entry.flatMap(({ id: wabaId, changes }) =>
    changes.flatMap(({ value }) =>
      value.messages.map((item) => ({
        key: item.from,
        value: JSON.stringify({
          specversion: '1.0',
          id: item.id,
          source: '/bench/bare',
          type: 'whatsapp.message.received.v1',
          time: new Date(Number(item.timestamp) * 1_000).toISOString(),
          subject: item.from,
          datacontenttype: 'application/json',
          recordedtime: new Date().toISOString(),
          data: { wabaId, ...value, messages: undefined, item },
        }),
        headers: { 'content-type': 'application/cloudevents+json' },
      })),
    ),
  );

const server = fastify({ bodyLimit: 3 * 1024 * 1024 });
server.removeAllContentTypeParsers();
server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
server.post('/webhooks/bench', async (request, reply) => {
  const body = request.body as Buffer;
  if (!signed(body, request.headers['x-hub-signature-256'])) return reply.code(401).send();
  await send(recordsOf(JSON.parse(body.toString('utf8')) as Delivery));
  return reply.code(200).send();
});
await server.listen({ port: Number(HTTP_PORT), host: '127.0.0.1' });
