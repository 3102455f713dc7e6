import { describe, expect, it } from "vitest";

import { answerOf } from "../src/questions";

describe("a choice that the server offers", () => {
  it("is a name with what is known of it beside", () => {
    const title = "2. sums: passes, 2 new lines";
    expect(answerOf(title)).toEqual({
      label: "$(pass) sums",
      description: "passes, 2 new lines",
      title,
    });
  });

  it.each([
    ["1. sums: compiles, fails", "$(warning) sums"],
    ["1. sums: does not compile, does not know furos()", "$(error) sums"],
    ["1. sums: not run", "sums"],
    ["lora-1: passed, loss 1.672 -> 1.143", "lora-1"],
    ["base", "base"],
  ])("%s bears what its outcome calls for", (title, label) => {
    expect(answerOf(title).label).toBe(label);
  });
});
