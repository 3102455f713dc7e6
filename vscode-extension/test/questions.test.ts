import { describe, expect, it } from "vitest";

import { answerOf, previewOf } from "../src/questions";

describe("a choice that the server offers", () => {
  it("is a name with what is known of it beside", () => {
    const title = "2. sums: passes, 2 new lines";
    expect(answerOf({ title })).toEqual({
      label: "$(pass) sums",
      description: "passes, 2 new lines",
      action: { title },
    });
  });

  it.each([
    ["1. sums: compiles, fails", "$(warning) sums"],
    ["1. sums: does not compile, does not know furos()", "$(error) sums"],
    ["1. sums: not run", "sums"],
    ["lora-1: passed, loss 1.672 -> 1.143", "lora-1"],
    ["base", "base"],
  ])("%s bears what its outcome calls for", (title, label) => {
    expect(answerOf({ title }).label).toBe(label);
  });
});

describe("the page beside the list", () => {
  const sums = { title: "1. sums: passes", code: "    @Test\n    void sums() {\n    }\n" };
  const fails = { title: "2. fails: compiles, fails", code: "\r\n@Test\r\nvoid fails() { }" };

  it("has the code of every answer under its title, as far left as it goes", () => {
    const page = previewOf("Which test for Cart.total?", [sums, fails]);
    const lines = page?.text.split("\n") ?? [];
    expect(lines[0]).toBe("// Which test for Cart.total?");
    expect(page?.lines.map(([first, last]) => lines.slice(first, last + 1))).toEqual([
      ["// 1. sums: passes", "@Test", "void sums() {", "}"],
      ["// 2. fails: compiles, fails", "@Test", "void fails() { }"],
    ]);
  });

  it("is not there where the answers stand for no code", () => {
    expect(previewOf("Which adapter?", [{ title: "base" }])).toBeUndefined();
  });
});
