import { describe, expect, it } from "vitest";

import { actOf } from "../src/acts";

describe("a message from the panel", () => {
  it("is what a button asks for", () => {
    expect(actOf({ act: "use", adapter: "lora-1" })).toEqual({ act: "use", adapter: "lora-1" });
    expect(actOf({ act: "rollback" })).toEqual({ act: "rollback", adapter: null });
  });

  it.each([undefined, null, "use", {}, { act: "format" }, { act: "use", adapter: 7 }])(
    "is nothing where it is %j",
    (message) => {
      expect(actOf(message)).toBeUndefined();
    },
  );
});
