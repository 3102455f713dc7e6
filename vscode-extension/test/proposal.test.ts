import { describe, expect, it } from "vitest";

import { proposal } from "../src/proposal";
import { type Status } from "../src/status";

const HOUR = 3_600_000;
const STALE: Status = {
  workspace: "file:///work/shop",
  adapter: "shop-2",
  freshness: "stale",
  contents: "a1",
  retraining: { mode: "ask", why: "31 of 90 pairs changed", waits_for: "your word" },
};

describe("a proposal to train anew", () => {
  it("is made once for what has changed, in this window and the next", () => {
    const first = proposal(STALE, undefined, 0);
    expect(first).toEqual({ contents: "shop-2 a1", at: 0 });
    expect(proposal(STALE, first, 100 * HOUR)).toBeUndefined();
  });

  it("is made again when the project has changed further, but not at each save", () => {
    const first = proposal(STALE, undefined, 0);
    const further = { ...STALE, contents: "b2" };
    expect(proposal(further, first, HOUR / 2)).toBeUndefined();
    expect(proposal(further, first, HOUR)).toEqual({ contents: "shop-2 b2", at: HOUR });
  });

  it.each([
    ["nothing is proposed", null],
    ["it begins by itself", { mode: "on", why: "31 of 90 pairs changed", waits_for: null }],
  ] as const)("is not made where %s", (_, retraining) => {
    expect(proposal({ ...STALE, retraining }, undefined, 0)).toBeUndefined();
  });

  it("is not made while a training runs", () => {
    const job = { id: "j", state: "running" } as const;
    expect(proposal({ ...STALE, job }, undefined, 0)).toBeUndefined();
  });
});
