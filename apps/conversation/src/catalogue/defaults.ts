import type { Disposition, Template } from '@centralita/contracts';

/** Offered until an installation names its own: each must be approved by the provider under this name and language. */
export const defaultTemplates: readonly Template[] = [
  ...[
    { language: 'es', body: 'Hola. Tenemos novedades sobre tu pedido: {{1}}' },
    { language: 'en', body: 'Hello. There is news about your order: {{1}}' },
    { language: 'pt', body: 'Olá. Temos novidades sobre o seu pedido: {{1}}' },
  ].map(({ language, body }) => ({ name: 'order_update', language, category: 'utility' as const, body, variables: 1 })),
  ...[
    { language: 'es', body: 'Hola, {{1}}. Seguimos con tu consulta sobre {{2}}. Responde a este mensaje para continuar.' },
    { language: 'en', body: 'Hello {{1}}, we are still working on your question about {{2}}. Answer this message to go on.' },
    { language: 'pt', body: 'Olá, {{1}}. Seguimos com a sua consulta sobre {{2}}. Responda a esta mensagem para continuar.' },
  ].map(({ language, body }) => ({ name: 'follow_up', language, category: 'utility' as const, body, variables: 2 })),
  ...[
    { language: 'es', body: 'Hola de nuevo. ¿Podemos ayudarte en algo más?' },
    { language: 'en', body: 'Hello again. Is there anything else we can help you with?' },
    { language: 'pt', body: 'Olá de novo. Podemos ajudar em mais alguma coisa?' },
  ].map(({ language, body }) => ({ name: 'anything_else', language, category: 'utility' as const, body, variables: 0 })),
];

export const defaultDispositions: readonly Disposition[] = [
  { code: 'solved', label: { es: 'Resuelto', en: 'Solved', pt: 'Resolvido' } },
  { code: 'information', label: { es: 'Información dada', en: 'Information given', pt: 'Informação dada' } },
  {
    code: 'no_answer',
    label: { es: 'Sin respuesta del cliente', en: 'No answer from the customer', pt: 'Sem resposta do cliente' },
  },
  { code: 'referred', label: { es: 'Derivado', en: 'Referred', pt: 'Encaminhado' } },
  { code: 'spam', label: { es: 'No deseado', en: 'Spam', pt: 'Spam' } },
];
