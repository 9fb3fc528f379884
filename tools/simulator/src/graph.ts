import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { makeWamid } from '@centralita/whatsapp';
import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { mediaBytes } from './items.js';
import type { Journal } from './journal.js';
import type { StatusReporter } from './statuses.js';
import type { World } from './world.js';

const SendBody = z.object({
  messaging_product: z.literal('whatsapp'),
  recipient_type: z.string().optional(),
  to: z.string().optional(),
  recipient: z.string().optional(),
  type: z.string(),
  text: z.object({ body: z.string() }).optional(),
  template: z
    .object({ name: z.string(), language: z.object({ code: z.string() }), components: z.array(z.unknown()).optional() })
    .optional(),
  context: z.object({ message_id: z.string() }).optional(),
  biz_opaque_callback_data: z.string().max(512).optional(),
});

const WINDOW_SECONDS = 24 * 3600;

/** Template categories by name; the provider approved them in another life. */
const templateCategory = (name: string): string => (name.startsWith('offer_') ? 'marketing' : 'utility');

/** The part of the Graph API that the platform calls: sending, and media by id. */
export const graphRoutes = (server: FastifyInstance, world: World, journal: Journal, statuses: StatusReporter): void => {
  const refuse = (reply: FastifyReply, status: number, code: number, message: string): FastifyReply =>
    reply.status(status).send({
      error: {
        message,
        type: 'OAuthException',
        code,
        error_data: { messaging_product: 'whatsapp', details: message },
        fbtrace_id: 'sim',
      },
    });

  server.post(
    '/:version/:phoneNumberId/messages',
    async (request: FastifyRequest<{ Params: { version: string; phoneNumberId: string } }>, reply) => {
      const found = world.appOfNumber(request.params.phoneNumberId);
      if (!found) return refuse(reply, 404, 33, 'Unknown phone number id');
      if (request.headers.authorization !== `Bearer ${found.app.accessToken}`)
        return refuse(reply, 401, 190, 'Invalid access token');
      const parsed = SendBody.safeParse(request.body);
      if (!parsed.success) return refuse(reply, 400, 100, `Invalid parameter: ${parsed.error.issues[0]?.path.join('.') ?? ''}`);
      const body = parsed.data;
      const group = body.recipient_type === 'group' && body.to ? world.group(body.to) : undefined;
      const members = group?.memberIds.map((id) => world.customer(id)) ?? [];
      const customer = members[0] ?? world.customerByAddress(body);
      const sendId = body.biz_opaque_callback_data ?? null;
      const now = new Date();
      if (!customer) {
        journal.record('refusedCalls', {
          at: now.toISOString(),
          phoneNumberId: found.number.phoneNumberId,
          sendId,
          code: 131026,
        });
        return refuse(reply, 400, 131026, 'Message undeliverable');
      }
      const lastHeard = world.lastHeard(found.number.phoneNumberId, group?.id ?? customer.id);
      if (body.type !== 'template' && (lastHeard === undefined || now.getTime() / 1000 - lastHeard >= WINDOW_SECONDS)) {
        journal.record('refusedCalls', {
          at: now.toISOString(),
          phoneNumberId: found.number.phoneNumberId,
          sendId,
          code: 131047,
        });
        return refuse(reply, 400, 131047, 'More than 24 hours have passed since the recipient last replied');
      }
      const wamid = makeWamid(customer.phone ?? customer.bsuid ?? group?.id ?? '0', randomBytes(16));
      journal.record('calls', {
        at: now.toISOString(),
        phoneNumberId: found.number.phoneNumberId,
        wamid,
        sendId,
        to: body.to ?? null,
        recipient: body.recipient ?? null,
        group: group !== undefined,
        type: body.type,
        text: body.text?.body ?? null,
        template: body.template?.name ?? null,
        contextWamid: body.context?.message_id ?? null,
      });
      const reported = statuses.report({
        app: found.app,
        number: found.number,
        wamid,
        sendId,
        category: body.template ? templateCategory(body.template.name) : 'service',
        customer,
        group: group ? { id: group.id, members } : null,
      });
      if (customer.statusPlan === 'before_response') await reported;
      return reply.send({
        messaging_product: 'whatsapp',
        contacts: [
          {
            input: body.to ?? body.recipient,
            ...(customer.phone ? { wa_id: customer.phone } : {}),
            ...(customer.bsuid ? { user_id: customer.bsuid } : {}),
          },
        ],
        messages: [{ id: wamid }],
      });
    },
  );

  server.get('/:version/:mediaId', async (request: FastifyRequest<{ Params: { mediaId: string } }>, reply) => {
    const { mediaId } = request.params;
    if (!world.hasToken(request.headers.authorization)) return refuse(reply, 401, 190, 'Invalid access token');
    if (!mediaId.startsWith('media')) return refuse(reply, 404, 100, 'Object does not exist');
    const bytes = mediaBytes(mediaId);
    const url = `${request.protocol}://${request.host}/media-bytes/${mediaId}`;
    return reply.send({
      messaging_product: 'whatsapp',
      url,
      mime_type: 'application/octet-stream',
      sha256: createHash('sha256').update(bytes).digest('hex'),
      file_size: bytes.length,
      id: mediaId,
    });
  });

  server.get('/media-bytes/:mediaId', async (request: FastifyRequest<{ Params: { mediaId: string } }>, reply) => {
    if (!world.hasToken(request.headers.authorization)) return refuse(reply, 401, 190, 'Invalid access token');
    return reply.type('application/octet-stream').send(mediaBytes(request.params.mediaId));
  });
};
