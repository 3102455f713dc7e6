import { describe, expect, it } from "vitest";

import { managedProgram, steps } from "../src/environment";

describe("a managed environment", () => {
  it("is made by venv and filled by its own pip, with the extension's version", () => {
    const made = steps("python3", "/home/ada/env", "0.1.0", false);
    expect(made.map((one) => [one.command, ...one.args].join(" "))).toEqual([
      "python3 -P -m venv --clear /home/ada/env",
      "/home/ada/env/bin/python -P -m pip install --disable-pip-version-check personalizer==0.1.0",
    ]);
    expect(managedProgram("/home/ada/env", false)).toBe("/home/ada/env/bin/personalizer");
  });
});
