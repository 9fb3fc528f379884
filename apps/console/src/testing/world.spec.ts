import {
  AgentList,
  ConversationDetail,
  DecisionList,
  Disposition,
  InboxRow,
  Me,
  QueueList,
  Session,
  Template,
  ThreadItem,
  type Role,
} from '@centralita/contracts';

/** The frozen instant of every test and picture. */
export const NOW = Date.parse('2026-11-23T10:46:00.000Z');
const HOUR = 3_600_000;
const MINUTE = 60_000;
export const at = (ms: number): string => new Date(NOW + ms).toISOString();
export const uuid = (n: number): string => `00000000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;
const ref = (n: number): string => n.toString().padStart(22, 'A');

export const TENANT = '6b1f4b9e-3a52-4f0e-9d0a-0d4b1f0f7c11';
export const ME = uuid(12);
const OTHER = uuid(7);
export const BOOKINGS = uuid(101);
const SUPPORT = uuid(102);

export const sessionOf = (...roles: Role[]): Session =>
  Session.parse({
    actorId: roles.includes('agent') ? ME : uuid(30),
    tenantId: TENANT,
    tenantName: 'Hotel Miramar',
    label: roles.includes('agent') ? 'Agente 12' : 'Oficina 3',
    roles,
    expiresAt: at(8 * HOUR),
  });

export const agents = AgentList.parse({
  items: [
    { agentId: ME, label: 'Agente 12', skills: ['es', 'pt'], queueIds: [BOOKINGS], capacity: 4 },
    { agentId: OTHER, label: 'Agente 07', skills: ['es'], queueIds: [BOOKINGS, SUPPORT], capacity: 4 },
    { agentId: uuid(9), label: 'Agente 09', skills: ['en'], queueIds: [SUPPORT], capacity: 3 },
  ],
});
export const queues = QueueList.parse({
  items: [
    [BOOKINGS, 'Reservas'],
    [SUPPORT, 'Soporte'],
  ].map(([queueId, name]) => ({
    queueId,
    name,
    phoneNumberIds: ['1065'],
    requiredSkills: [],
    languageSkill: true,
    relaxLanguageAfterMs: 30_000,
    priority: 10,
  })),
});
export const dispositions = [
  { code: 'solved', label: { es: 'Resuelto', en: 'Solved', pt: 'Resolvido' } },
  { code: 'information', label: { es: 'Información dada', en: 'Information given', pt: 'Informação dada' } },
  { code: 'spam', label: { es: 'No deseado', en: 'Spam', pt: 'Spam' } },
].map((each) => Disposition.parse(each));
export const templates = [
  {
    name: 'follow_up',
    language: 'es',
    category: 'utility',
    body: 'Hola, {{1}}. Seguimos con tu consulta sobre {{2}}. Responde a este mensaje para continuar.',
    variables: 2,
  },
  {
    name: 'anything_else',
    language: 'es',
    category: 'utility',
    body: 'Hola de nuevo. ¿Podemos ayudarte en algo más?',
    variables: 0,
  },
  { name: 'follow_up', language: 'en', category: 'utility', body: 'Hello {{1}}, about {{2}}: answer to go on.', variables: 2 },
].map((each) => Template.parse(each));

type Sketch = {
  readonly id: number;
  readonly name: string | null;
  readonly preview: string;
  readonly last: number;
  readonly closes: number | null;
  readonly unread?: number;
  readonly language?: string;
  readonly out?: boolean;
  readonly erased?: boolean;
};
const sketches: readonly Sketch[] = [
  {
    id: 1,
    name: 'Cliente Ñandú',
    preview: '¿Me guardas la habitación con vistas? Llego el viernes 🌊',
    last: -4 * MINUTE,
    closes: 3.37 * HOUR,
    unread: 2,
  },
  { id: 2, name: 'Hóspede Açaí', preview: 'Perfeito, obrigado!', last: -50 * MINUTE, closes: 22.9 * HOUR, language: 'pt' },
  { id: 3, name: 'Cliente Über', preview: '[image]', last: -9 * MINUTE, closes: 42.12 * MINUTE, unread: 1 },
  {
    id: 4,
    name: 'Guest Óscar',
    preview: 'We will send the invoice today.',
    last: -2 * HOUR,
    closes: 11.4 * HOUR,
    language: 'en',
    out: true,
  },
  { id: 5, name: 'Cliente Çedilla', preview: 'Gracias, lo hablo en casa y te digo', last: -25 * HOUR, closes: -1 * HOUR },
  { id: 6, name: null, preview: '¿Hola? ¿Hay alguien?', last: -31 * MINUTE, closes: 18.2 * HOUR, unread: 4 },
  { id: 7, name: 'عميل', preview: 'مرحبا، هل لديكم غرفة؟', last: -3 * HOUR, closes: 20.8 * HOUR, language: 'ar' },
  { id: 8, name: null, preview: '', last: -26 * HOUR, closes: null, erased: true },
  {
    id: 9,
    name: 'Cliente Zorzal',
    preview: 'Buenos días, he olvidado el cargador en la 204',
    last: -80 * MINUTE,
    closes: 1.2 * HOUR,
  },
];
export const conversationId = (n: number): string => uuid(1000 + n);

const base = (sketch: Sketch) => ({
  conversationId: conversationId(sketch.id),
  subjectId: uuid(2000 + sketch.id),
  displayName: sketch.name,
  phoneMasked: sketch.erased ? null : `…${820 + sketch.id}`,
  erased: sketch.erased ?? false,
  businessNumber: 'Hotel Miramar Recepción',
  state: 'assigned' as const,
  assignedAgentId: ME,
  queueId: BOOKINGS,
  language: sketch.language ?? 'es',
  lastMessageAt: at(sketch.last),
  waitingSince: null,
  windowExpiresAt: sketch.closes === null ? null : at(sketch.closes),
  version: '7',
});
export const rows: InboxRow[] = sketches.map((sketch) =>
  InboxRow.parse({
    ...base(sketch),
    preview: sketch.preview,
    previewKind: sketch.out ? 'out' : 'in',
    unread: sketch.unread ?? 0,
  }),
);
export const details: ConversationDetail[] = sketches.map((sketch) => {
  const open = sketch.closes !== null && sketch.closes > 0;
  return ConversationDetail.parse({
    ...base(sketch),
    contactId: uuid(3000 + sketch.id),
    ordinal: 2,
    openedAt: at(-30 * HOUR),
    closedAt: null,
    dispositionCode: null,
    replyVersion: '3.7',
    mayReply: open ? 'text' : 'template',
    whyNot: open ? null : sketch.closes === null ? 'WINDOW_NEVER_OPENED' : 'WINDOW_CLOSED',
  });
});

const blank = {
  messageType: 'text',
  messageRef: null,
  text: null,
  sender: null,
  location: null,
  contactNames: [],
  media: null,
  contextRef: null,
  reactionTo: null,
  agentId: null,
  status: null,
  statusCode: null,
  event: null,
  erased: false,
} as const;
export const item = (fields: Partial<ThreadItem> & Pick<ThreadItem, 'id' | 'kind' | 'at'>): ThreadItem =>
  ThreadItem.parse({ ...blank, ...fields });
const reply = (id: number, ms: number, text: string, status: ThreadItem['status'], code: string | null = null): ThreadItem =>
  item({ id: uuid(id), kind: 'reply', at: at(ms), text, agentId: ME, status, statusCode: code });

/** Newest first, as the API answers. */
export const threadOf = (n: number): ThreadItem[] =>
  n === 1
    ? [
        item({
          id: ref(9),
          kind: 'inbound',
          at: at(-4 * MINUTE),
          messageRef: ref(9),
          text: '¿Me guardas la habitación con vistas? Llego el viernes 🌊',
        }),
        item({
          id: ref(10),
          kind: 'inbound',
          at: at(-5 * MINUTE),
          messageRef: ref(10),
          messageType: 'reaction',
          text: '👍',
          reactionTo: ref(7),
        }),
        item({
          id: ref(8),
          kind: 'inbound',
          at: at(-6 * MINUTE),
          messageRef: ref(8),
          messageType: 'image',
          text: 'Así es la que tuve el año pasado',
          media: { mediaId: uuid(501), mimeType: 'image/png', state: 'stored', voice: false, fileName: null },
        }),
        reply(603, -12 * MINUTE, 'Te mando el plano del hotel por correo.', 'failed', '131026'),
        item({
          id: uuid(602),
          kind: 'note',
          at: at(-14 * MINUTE),
          messageType: null,
          agentId: OTHER,
          text: 'Cliente habitual: siempre pide la 204. Preguntar por la cuna.',
        }),
        reply(
          601,
          -16 * MINUTE,
          'Sí, tenemos dos libres ese fin de semana. ¿La prefieres con vistas al mar o al jardín?',
          'read',
        ),
        item({
          id: ref(7),
          kind: 'inbound',
          at: at(-18 * MINUTE),
          messageRef: ref(7),
          text: 'Hola, ¿tenéis habitación doble del viernes al domingo?',
        }),
        item({
          id: uuid(600),
          kind: 'event',
          at: at(-20 * MINUTE),
          messageType: null,
          agentId: ME,
          event: { type: 'assigned', taskId: conversationId(1) },
        }),
        reply(604, -26 * HOUR, 'Gracias por tu visita. ¡Hasta pronto!', 'delivered'),
        item({ id: ref(6), kind: 'inbound', at: at(-27 * HOUR), messageRef: ref(6), text: 'Muchas gracias por todo' }),
      ]
    : [
        item({
          id: ref(20 + n),
          kind: 'inbound',
          at: at(-2 * HOUR),
          messageRef: ref(20 + n),
          text: rows[n - 1]?.preview || null,
          erased: n === 8,
        }),
      ];

export const meOf = (offers: Me['offers'], tasks: Me['tasks']): Me =>
  Me.parse({
    agentId: ME,
    label: 'Agente 12',
    presence: 'online',
    capacity: 4,
    load: 3,
    skills: ['es', 'pt'],
    queueIds: [BOOKINGS],
    offers,
    tasks,
    serverTime: at(0),
  });
export const offer: Me['offers'][number] = {
  reservationId: uuid(701),
  taskId: conversationId(2),
  conversationId: conversationId(2),
  queueId: BOOKINGS,
  queueName: 'Reservas',
  language: 'pt',
  waitingSince: at(-MINUTE),
  offeredAt: at(-6000),
  expiresAt: at(24_000),
  windowExpiresAt: at(22.9 * HOUR),
  why: { rule: 'longest-idle', skills: ['pt'], step: 1 },
};
export const decisions = DecisionList.parse({
  items: [
    {
      taskId: conversationId(1),
      conversationId: conversationId(1),
      subjectId: uuid(2001),
      decisionId: uuid(801),
      policyVersion: 17,
      step: 2,
      decidedAt: at(-20 * MINUTE - 588),
      candidates: [
        { agentId: ME, eligible: true, reason: 'chosen', load: 2, capacity: 4, idleSince: at(-40 * MINUTE) },
        { agentId: OTHER, eligible: false, reason: 'at_capacity', load: 4, capacity: 4, idleSince: null },
        { agentId: uuid(9), eligible: false, reason: 'missing_skill', load: 0, capacity: 3, idleSince: at(-60 * MINUTE) },
      ],
      chosenAgentId: ME,
      rule: 'longest-idle',
    },
  ],
});
