import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { Throttle } from "../src/throttle";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** Notes when it begins, and takes half a second. */
function slow(): { began: number[]; throttle: Throttle } {
  const began: number[] = [];
  const work = async () => {
    began.push(Date.now());
    await new Promise((resolve) => setTimeout(resolve, 500));
  };
  return { began, throttle: new Throttle(work, 100, 5) };
}

it("several wishes at once are one", async () => {
  const { began, throttle } = slow();
  throttle.wish();
  throttle.wish();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(began).toHaveLength(1);
});

it("work that is slow is done seldom, however often it is wished for", async () => {
  const { began, throttle } = slow();
  for (let second = 0; second < 20; second += 1) {
    throttle.wish();
    await vi.advanceTimersByTimeAsync(1000);
  }
  expect(began.length).toBeGreaterThan(4);
  expect(began.length).toBeLessThan(9);
});

it("a wish while the work is done has it done again", async () => {
  const { began, throttle } = slow();
  throttle.wish();
  await vi.advanceTimersByTimeAsync(300);
  throttle.wish();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(began).toHaveLength(2);
});

it("an end leaves nothing to come", async () => {
  const { began, throttle } = slow();
  throttle.wish();
  throttle.end();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(began).toEqual([]);
});
