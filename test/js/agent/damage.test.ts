import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Checkpoint, parseCheckpoint } from '../../../dist/agent/checkpoint.js';
import { createClaudeSonetAgent } from '../../../dist/agent.js';
import { freshPath, open, openWritable } from '../support/logs.js';

test('an agent that a broken frame ends has settled what it tells of, and writes nothing behind its end', async () => {
  const path = freshPath();
  const checkpoint = freshPath('agent.checkpoint');
  const { writer, header } = openWritable({ path });
  writer.append(Buffer.from('not understood'));
  const broken = Number(header.size);
  writer.append(Buffer.from('broken'));
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.from([1, 0]), 0, 2, broken);
  closeSync(file);
  const agent = createClaudeSonetAgent({
    sharedLog: open({ path }),
    model: 'a model',
    checkpoint,
    decoder: () => ({ ok: false, error: new Error('not understood') }),
    claudeClient: { sendPrompt: () => Promise.reject(new Error('asked')) },
  });
  const events: string[] = [];
  agent.on('decodeError', () => events.push('decodeError'));
  agent.on('error', (error) => events.push((error as { code: string }).code));
  // Another agent may begin with the checkpoint then.
  const stopped = new Promise<Checkpoint>((resolve) => {
    agent.once('stopped', () => resolve(parseCheckpoint(readFileSync(checkpoint, 'utf8'), checkpoint)));
  });
  agent.start();
  const { verdicts, settledUpTo } = await stopped;
  expect(events.sort()).toEqual(['ERR_SHM_FRAME_CORRUPT', 'decodeError']);
  expect([verdicts, settledUpTo]).toEqual([[], broken - Number(header.dataOffset)]);
});
