import { describe, expect, it } from "vitest";

import { managedProgram, question, steps, tooOld, wheelOf } from "../src/environment";

describe("a managed environment", () => {
  it("is made by venv and filled by its own pip, with the wheel that the extension brings along", () => {
    const made = steps("python3", "/home/ada/env", wheelOf("/ext", "0.1.0"), false);
    expect(made.map((one) => [one.command, ...one.args].join(" "))).toEqual([
      "python3 -P -m venv --clear /home/ada/env",
      "/home/ada/env/bin/python -P -m pip install --disable-pip-version-check /ext/wheel/personalizer-0.1.0-py3-none-any.whl",
    ]);
    expect(question("python3").args).not.toContain("-P"); // unknown before 3.11
    expect(managedProgram("/home/ada/env", false)).toBe("/home/ada/env/bin/personalizer");
  });

  it("is made by a Python of 3.11 or later alone", () => {
    expect(["3 11\n", "3 14\n", "4 0\n"].map((one) => tooOld("python3", one))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(tooOld("python3", "3 9\n")).toBe(
      "Personalizer needs Python 3.11 or later, and python3 is 3.9",
    );
  });
});
