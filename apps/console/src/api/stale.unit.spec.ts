import { describe, expect, it } from '@jest/globals';
import { staleBy, type Shown } from './stale.js';

const shown: Shown = {
  open: { conversation: 'open', task: 'task of open' },
  onlyMine: true,
  listed: (conversation) => ['open', 'mine'].includes(conversation),
};
const pointer = (service: string, type: string, streamId: string) => ({
  ...{ service, type, streamId, id: 'x', version: '1', at: '2026-11-23T10:00:00.000Z' },
});
const message = (streamId: string) => pointer('conversation', 'conversation.message.recorded.v1', streamId);

describe('what a pointer makes old', () => {
  it('among the own conversations is what it is about, and nothing else', () => {
    expect(staleBy(message('open'), shown)).toEqual(['list', 'conversation']);
    expect(staleBy(message('mine'), shown)).toEqual(['list']);
    expect(staleBy(message('of a colleague'), shown)).toEqual([]);
    expect(staleBy(pointer('routing', 'task.assigned.v1', 'task of a colleague'), shown)).toEqual(['desk']);
    expect(staleBy(pointer('routing', 'task.assigned.v1', 'task of open'), shown)).toEqual(['desk', 'conversation']);
  });

  it('in a view of many is the list, whoever it is about', () => {
    const all = { ...shown, onlyMine: false };
    expect(staleBy(message('of a colleague'), all)).toEqual(['list']);
    expect(staleBy(pointer('routing', 'task.queued.v1', 'any'), all)).toEqual(['list']);
    expect(staleBy(pointer('routing', 'reservation.offered.v1', 'any'), all)).toEqual(['desk']);
    expect(staleBy(pointer('routing', 'routing.decided.v1', 'any'), all)).toEqual([]);
  });

  it('of a reply’s fate is the open thread only', () => {
    const fate = (streamId: string) => pointer('conversation', 'conversation.reply.status', streamId);
    expect(staleBy(fate('open'), shown)).toEqual(['statuses']);
    expect(staleBy(fate('mine'), { ...shown, onlyMine: false })).toEqual([]);
    expect(staleBy(fate('open'), { ...shown, open: null })).toEqual([]);
  });
});
