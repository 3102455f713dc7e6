import { expect, it } from "vitest";

import { type Adapter, choices } from "../src/adapters";

const ONE: Adapter = {
  id: "lora-1",
  gate: "passed",
  trained_at: "2026-11-21T00:39:00+00:00",
  base_loss: 1.672,
  adapter_loss: 1.143,
};

it("all but the serving adapter may be switched to, and the base", () => {
  const known = { serving: "lora-2", adapters: [{ ...ONE, id: "lora-2" }, ONE] };
  expect(choices(known).map((one) => one.adapter)).toEqual(["lora-1", "base"]);
  expect(choices(known)[0]?.detail).toBe(
    "Trained 2026-11-21; loss 1.672 base, 1.143 adapter",
  );
});

it("the base is no choice where it serves", () => {
  expect(choices({ serving: "base", adapters: [ONE] }).map((one) => one.adapter)).toEqual([
    "lora-1",
  ]);
});
