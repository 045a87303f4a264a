import assert from 'node:assert/strict';
import { TalkerNews } from '../../src/media/talker-news.js';

const talker = (ssrc: number) => ({ type: 'talker', ssrc, mki: 'aa', leg: 'main' }) as const;

describe('news of who is heard', () => {
  const told: number[] = [];
  let news: TalkerNews;
  beforeEach(() => {
    told.length = 0;
    news = new TalkerNews(({ ssrc }) => told.push(ssrc));
  });

  it('is told at once', () => {
    news.heard(talker(1), 0);
    news.heard(talker(2), 100);
    assert.deepEqual(told, [1, 2]);
  });

  it('is the latest of what came within 100 ms, told in the end', () => {
    for (const [ssrc, now] of [
      [1, 0],
      [2, 20],
      [3, 40],
    ] as const) {
      news.heard(talker(ssrc), now);
    }
    news.tick(99);
    assert.deepEqual(told, [1]);
    news.tick(100);
    news.tick(300);
    assert.deepEqual(told, [1, 3]);
  });

  it('is ten a second where each packet names another talker', () => {
    for (let now = 0; now < 1_000; now += 1) news.heard(talker(now), now);
    assert.equal(told.length, 10);
  });
});
