import { expect, test } from 'vitest';
import { FirstOf } from '../../../dist/streams/workers/first_of.js';

test('one that stays pending is begun once and has one handler, however often others come first', async () => {
  let begun = 0;
  let handlers = 0;
  // Not settled to the end: what hangs on it would stay for as long.
  const stalled = new Promise<void>(() => {});
  const { then } = stalled;
  Object.defineProperty(stalled, 'then', {
    value: (...handled: Parameters<typeof then>) => {
      handlers++;
      return then.apply(stalled, handled);
    },
  });
  const first = new FirstOf<string>();
  for (let i = 0; i < 100; i++) {
    await first.wait(['stalled', 'quick'], (key) => {
      if (key === 'quick') return Promise.resolve();
      begun++;
      return stalled;
    });
  }
  expect([begun, handlers]).toEqual([1, 1]);
});

test('one that fails ends the wait as well, and may be begun again', async () => {
  const first = new FirstOf<string>();
  let begun = 0;
  const fails = () => {
    begun++;
    return Promise.reject(new Error('lost'));
  };
  await first.wait(['lost'], fails);
  await first.wait(['lost'], fails);
  expect(begun).toBe(2);
});

test('this thread can end the wait', async () => {
  const first = new FirstOf<string>();
  const wait = first.wait([], () => Promise.resolve());
  first.poke();
  await wait;
});
