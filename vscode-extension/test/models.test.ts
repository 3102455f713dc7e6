import { describe, expect, it } from "vitest";

import { type Model, modelChoices, modelsOf, size } from "../src/models";

const STARTER: Model = {
  name: "starter",
  parameters: 7_200_000,
  bytes: 14_400_000,
  licence: "Apache-2.0",
  here: true,
  training_bytes: 1_028_800_000,
  fits: true,
};
const LARGE: Model = {
  name: "Qwen/Qwen2.5-Coder-7B",
  parameters: 7_616_000_000,
  bytes: 15_232_000_000,
  licence: "Apache-2.0",
  here: false,
  training_bytes: 31_464_000_000,
  fits: false,
};
const MIDDLE: Model = { ...LARGE, name: "Qwen/Qwen2.5-Coder-0.5B", fits: true };

describe("base models", () => {
  it("are read from one JSON object", () => {
    const printed = `${JSON.stringify({ models: [STARTER, LARGE] })}\n`;
    expect(modelsOf(printed)).toEqual([STARTER, LARGE]);
  });

  it("come with size, licence and what they need; the one in use bears a tick", () => {
    const [row] = modelChoices([STARTER], "starter");
    expect(row).toEqual({
      label: "$(check) starter",
      description: "7.2 M parameters, 14 MB, Apache-2.0",
      detail: "On this machine; training takes some 1.0 GB of memory, which is free",
      model: STARTER,
    });
  });

  it("that do not fit come last, and say so", () => {
    const rows = modelChoices([LARGE, STARTER, MIDDLE], "other");
    expect(rows.map((row) => row.label)).toEqual([STARTER.name, MIDDLE.name, LARGE.name]);
    expect(rows[2]?.detail).toBe(
      "To be fetched; training takes some 31.5 GB of memory, more than is free",
    );
  });

  it("have sizes as people say them", () => {
    expect([size(14_400_000), size(3_088_000_000)]).toEqual(["14 MB", "3.1 GB"]);
  });
});
