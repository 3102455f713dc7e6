import { describe, expect, it } from "vitest";

import { managedProgram, run, steps } from "../src/environment";

describe("a managed environment", () => {
  it("is made by venv and filled by its own pip, with the extension's version", () => {
    const made = steps("python3", "/home/ada/env", "0.1.0", false);
    expect(made.map((one) => [one.command, ...one.args].join(" "))).toEqual([
      "python3 -m venv --clear /home/ada/env",
      "/home/ada/env/bin/python -m pip install --disable-pip-version-check personalizer==0.1.0",
    ]);
    expect(managedProgram("/home/ada/env", false)).toBe("/home/ada/env/bin/personalizer");
  });
});

describe("a step", () => {
  const step = (code: string) => ({ title: "", command: process.execPath, args: ["-e", code] });
  const never = new AbortController().signal;

  it("tells what it writes", async () => {
    const lines: string[] = [];
    await run(step("console.log('one\\ntwo')"), (line) => lines.push(line), never);
    expect(lines).toEqual(["one", "two"]);
  });

  it("that fails says its last line", async () => {
    const failing = step("console.error('no space left'); process.exit(3)");
    await expect(run(failing, () => undefined, never)).rejects.toThrow("no space left");
  });

  it("that is cancelled ends", async () => {
    const ending = new AbortController();
    const done = run(step("setTimeout(() => 0, 60000)"), () => undefined, ending.signal);
    ending.abort();
    await expect(done).rejects.toThrow();
  });

  it("of a program that is not there fails", async () => {
    const missing = { title: "", command: "/nowhere/python", args: [] };
    await expect(run(missing, () => undefined, never)).rejects.toThrow(/ENOENT/);
  });
});
