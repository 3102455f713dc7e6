import { describe, expect, it } from "vitest";

import { type Progress, spoken, type Status, trains, view } from "../src/status";

const FRESH: Status = {
  workspace: "file:///work/shop",
  adapter: "shop-2",
  method: "lora",
  base: "starter",
  freshness: "fresh",
  pairs: { trained: 90, unchanged: 84, changed: 4, new: 2, removed: 0 },
  commits_behind: 3,
  trained_at: "2026-03-01T10:00:00Z",
  job: null,
};

function training(progress: Progress | null): Status {
  return { ...FRESH, job: { id: "j", state: "running", progress } };
}

describe("the status bar", () => {
  it.each([
    ["fresh", "$(check) Adapter fresh", false],
    ["ageing", "$(history) Adapter ageing", false],
    ["stale", "$(warning) Adapter stale", true],
  ] as const)("says that an adapter is %s", (freshness, text, warning) => {
    expect(view("running", { ...FRESH, freshness })).toMatchObject({ text, warning });
  });

  it("says what the adapter is and how far behind", () => {
    expect(view("running", FRESH).tooltip).toEqual([
      "Adapter shop-2 (lora on starter)",
      "Trained on 90 pairs; since then 4 changed, 2 new",
      "3 commits behind",
      "Trained 2026-03-01",
    ]);
  });

  it("says that there is none yet", () => {
    const why = "no adapter was trained for this workspace yet";
    const none = { ...FRESH, adapter: null, freshness: "none", why } as const;
    const shown = view("running", none);
    expect(shown.text).toBe("$(circle-outline) No adapter");
    expect(shown.tooltip).toEqual([
      "No adapter was trained for this workspace yet.",
      "The base model writes.",
    ]);
  });

  it("warns of an adapter that is damaged", () => {
    const why = "the adapter shop-1 cannot be read";
    const none = { ...FRESH, adapter: null, base: null, freshness: "none", why } as const;
    expect(view("running", none)).toEqual({
      text: "$(error) Adapter damaged",
      tooltip: ["The adapter shop-1 cannot be read.", "Nothing can be written."],
      warning: true,
    });
  });

  it("counts a training down", () => {
    const progress = { phase: "train", step: 33, steps: 120, seconds_left: 200 };
    expect(view("running", training(progress)).text).toBe(
      "$(sync~spin) Training 27 %, 3 min left",
    );
  });

  it("tells waiting for another process from training", () => {
    const progress = { phase: "wait", step: 0, steps: 0, seconds_left: null };
    expect(view("running", training(progress)).text).toBe("$(sync~spin) Waiting");
  });

  it("tells judging from training", () => {
    for (const phase of ["judge", "gate"]) {
      const progress = { phase, step: 7, steps: 28, seconds_left: null };
      expect(view("running", training(progress)).text).toBe("$(sync~spin) Judging 25 %");
    }
  });

  it("says no more of a training than is known", () => {
    expect(view("running", training(null)).text).toBe("$(sync~spin) Training");
    const early = { phase: "index", step: 0, steps: 0, seconds_left: null };
    expect(view("running", training(early)).text).toBe("$(sync~spin) Training");
  });

  it("no longer shows a training that has ended", () => {
    const done: Status = { ...FRESH, job: { id: "j", state: "done" } };
    expect(trains(done)).toBe(false);
    expect(view("running", done).text).toBe("$(check) Adapter fresh");
  });

  it("warns of a server that does not run, whatever was known", () => {
    expect(view("stopped", FRESH)).toMatchObject({ text: "$(error) Personalizer", warning: true });
    expect(view("starting", undefined).text).toContain("loading");
  });
});

describe("a time", () => {
  it.each([
    [0, "0 s"],
    [40.2, "41 s"],
    [90, "2 min"],
    [4800, "1 h 20 min"],
  ])("of %d seconds is %s", (seconds, text) => {
    expect(spoken(seconds)).toBe(text);
  });
});
