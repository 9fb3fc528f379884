import { beforeEach, describe, expect, it } from '@jest/globals';
import { picture, violations } from '../testing/browser.spec.js';
import { commandsTo, marta, nuria, page, server, until, visit } from '../testing/stage.spec.js';
import { problem } from '../testing/stand-in.spec.js';
import { at, conversationId, item, NOW, offer, sessionOf } from '../testing/world.spec.js';

describe('answering', () => {
  beforeEach(() => {
    server.state.session = sessionOf('agent');
  });

  it('sends a reply with the keyboard alone, in the state that it answers, once', async () => {
    await visit(`/inbox/mine/${nuria}`);
    await page.getByRole('log').getByText('Llego el viernes').waitFor();
    await page.keyboard.press('Alt+KeyL');
    await page.waitForFunction(() => document.activeElement?.tagName === 'TEXTAREA');
    await page.keyboard.type('Claro, te la guardo.');
    await page.keyboard.press('Enter');
    await page.getByRole('log').getByText('Claro, te la guardo.').waitFor();
    await page.getByRole('log').getByText('Enviado').waitFor();
    const sent = commandsTo(`/conversations/${nuria}/replies`);
    expect(sent).toHaveLength(1);
    expect(sent[0]).toMatchObject({ ifMatch: '3.7', body: { kind: 'text', text: 'Claro, te la guardo.' } });
    expect(await page.getByRole('textbox').inputValue()).toBe('');
    // Shown once, though it was there before the server answered.
    expect(await page.getByRole('log').getByText('Claro, te la guardo.').count()).toBe(1);
  });

  it('does not send while an input method is composing', async () => {
    await visit(`/inbox/mine/${nuria}`);
    const area = page.getByRole('textbox', { name: 'Escribe una respuesta' });
    await area.fill('かな');
    await area.dispatchEvent('keydown', { key: 'Enter', code: 'Enter', isComposing: true, bubbles: true });
    expect(server.commands.filter(({ path }) => path.endsWith('/replies'))).toEqual([]);
    await area.press('Enter');
    await until(() => commandsTo(`/conversations/${nuria}/replies`).length === 1);
  });

  it('turns into a template picker when the window lapses, and keeps text and focus', async () => {
    await visit(`/inbox/mine/${nuria}`);
    const area = page.getByRole('textbox', { name: 'Escribe una respuesta' });
    await area.fill('el precio del fin de semana');
    const lapsed = NOW + 4 * 3_600_000;
    server.state.now = lapsed;
    await page.clock.setFixedTime(lapsed);
    await page.getByText('Ventana cerrada. Solo puedes enviar una plantilla.').waitFor();
    expect(await page.evaluate(() => (document.activeElement as HTMLTextAreaElement).value)).toBe('el precio del fin de semana');
    await page.keyboard.press('Enter');
    expect(server.commands.filter(({ path }) => path.endsWith('/replies'))).toEqual([]);

    await page.getByLabel('Elige una plantilla').selectOption('follow_up es');
    await page.getByLabel('Valor 1').fill('Ñandú');
    await page.getByRole('button', { name: 'Usar en un valor' }).click();
    await page.getByText('Hola, Ñandú. Seguimos con tu consulta sobre el precio del fin de semana.').waitFor();
    await picture(page, 'template');
    await page.getByRole('button', { name: 'Enviar plantilla' }).click();
    await until(() => commandsTo(`/conversations/${nuria}/replies`).length === 1);
    expect(commandsTo(`/conversations/${nuria}/replies`)[0]?.body).toEqual({
      kind: 'template',
      template: 'follow_up',
      language: 'es',
      values: ['Ñandú', 'el precio del fin de semana'],
    });
  });

  it('offers only templates where the window is closed', async () => {
    await visit(`/inbox/mine/${marta}`);
    await page.getByRole('button', { name: 'Enviar plantilla' }).waitFor();
    expect(await page.getByRole('button', { name: 'Enviar', exact: true }).count()).toBe(0);
    expect(await violations(page)).toEqual([]);
  });

  it('gives the text back when somebody answered first', async () => {
    await visit(`/inbox/mine/${nuria}`);
    await page.getByRole('log').getByText('Llego el viernes').waitFor();
    const detail = server.state.details.find((each) => each.conversationId === nuria);
    if (detail) detail.replyVersion = '4.7';
    server.state.threads.get(nuria)?.unshift(
      item({
        id: conversationId(77),
        kind: 'reply',
        at: at(-60_000),
        text: 'Ya está reservada.',
        agentId: offer.taskId,
        status: 'sent',
      }),
    );
    await page.getByRole('textbox', { name: 'Escribe una respuesta' }).fill('¿Con vistas?');
    await page.keyboard.press('Enter');
    await page.getByText('Alguien respondió hace 1 min. Tu mensaje no ha salido.').waitFor();
    await picture(page, 'conflict');
    await page.getByRole('button', { name: 'Enviar igualmente' }).click();
    await page.getByRole('log').getByText('¿Con vistas?').waitFor();
    const sent = commandsTo(`/conversations/${nuria}/replies`);
    expect(sent.map(({ ifMatch }) => ifMatch)).toEqual(['3.7', '4.7']);
    expect(new Set(sent.map(({ key }) => key)).size).toBe(2);
  });

  it('says why a reply was refused, and keeps it', async () => {
    server.state.refuse.set(`POST /api/v1/conversations/${nuria}/replies`, problem(422, 'NOT_ASSIGNED'));
    await visit(`/inbox/mine/${nuria}`);
    await page.getByRole('textbox', { name: 'Escribe una respuesta' }).fill('Hola');
    await page.keyboard.press('Enter');
    await page.getByText('No tienes asignada esta conversación.').waitFor();
    await page.getByRole('button', { name: 'Editar' }).click();
    expect(await page.getByRole('textbox', { name: 'Escribe una respuesta' }).inputValue()).toBe('Hola');
  });

  it('learns what became of a reply by a pointer, and asks for nothing in between', async () => {
    await visit(`/inbox/mine/${nuria}`);
    await page.getByRole('log').getByText('Llego el viernes').waitFor();
    await page.getByRole('textbox', { name: 'Escribe una respuesta' }).fill('Hecho.');
    await page.keyboard.press('Enter');
    const own = page.getByRole('article').filter({ hasText: 'Hecho.' });
    await own.getByText('Enviado').waitFor();
    const [reply] = server.state.threads.get(nuria) ?? [];
    const disclosed = () => server.opened.filter((path) => path.includes(nuria) && !/(?:read|replies)$/.test(path)).length;
    const before = disclosed();
    Object.assign(reply ?? {}, { status: 'delivered' });
    server.pointer('conversation', 'conversation.reply.status', nuria);
    await own.getByText('Entregado').waitFor();
    // The messages only: nothing else can have changed.
    expect(disclosed() - before).toBe(1);
    Object.assign(reply ?? {}, { status: 'failed', statusCode: '131047' });
    const detail = server.state.details.find((each) => each.conversationId === nuria);
    Object.assign(detail ?? {}, { mayReply: 'template', whyNot: 'WINDOW_CLOSED' });
    server.pointer('conversation', 'conversation.reply.status', nuria);
    await page
      .getByRole('log')
      .getByText(/No entregado/)
      .waitFor();
    await page.getByText('Ventana cerrada. Solo puedes enviar una plantilla.').waitFor();
  });
});
