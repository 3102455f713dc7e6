import { describe, expect, it } from "vitest";

import { ProgressNotes, type Shown } from "../src/progress";

function notes() {
  const seen: unknown[] = [];
  const cancelled: string[] = [];
  const buttons: (() => void)[] = [];
  const all = new ProgressNotes<string>(
    (title, cancellable, cancel): Shown => {
      seen.push([title, cancellable]);
      buttons.push(cancel);
      return {
        report: (step) => seen.push(step),
        close: () => seen.push("closed"),
      };
    },
    (token) => cancelled.push(token),
    (outcome) => seen.push(outcome),
  );
  return { all, seen, cancelled, buttons };
}

describe("a progress note", () => {
  it("opens, grows by what is new, and closes", () => {
    const { all, seen } = notes();
    all.take("t", { kind: "begin", title: "Train", cancellable: true });
    all.take("t", { kind: "report", message: "step 1", percentage: 30 });
    all.take("t", { kind: "report", message: "step 2", percentage: 80 });
    all.take("t", { kind: "report", message: "step 1 again", percentage: 60 });
    all.take("t", { kind: "end" });
    expect(seen).toEqual([
      ["Train", true],
      { increment: 30, message: "step 1" },
      { increment: 50, message: "step 2" },
      { increment: 0, message: "step 1 again" },
      "closed",
    ]);
  });

  it("tells what came of the work, once it is closed", () => {
    const { all, seen } = notes();
    all.take("t", { kind: "begin", title: "Generate test for Cart.total" });
    all.take("t", { kind: "end", message: "passes (by base)" });
    expect(seen.slice(1)).toEqual(["closed", "Generate test for Cart.total: passes (by base)"]);
  });

  it("cancels its own work and no other", () => {
    const { all, cancelled, buttons } = notes();
    all.take("a", { kind: "begin", title: "A", cancellable: true });
    all.take("b", { kind: "begin", title: "B", cancellable: true });
    buttons[1]?.();
    expect(cancelled).toEqual(["b"]);
  });

  it("that nobody began is nothing", () => {
    const { all, seen } = notes();
    all.take("t", { kind: "report", message: "late" });
    all.take("t", { kind: "end", message: "passes" });
    expect(seen).toEqual([]);
  });

  it("closes with the server", () => {
    const { all, seen } = notes();
    all.take("t", { kind: "begin", title: "A" });
    all.clear();
    all.take("t", { kind: "end", message: "passes" });
    expect(seen).toEqual([["A", false], "closed"]);
  });
});
